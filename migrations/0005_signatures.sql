-- How a host reads and makes signatures (interop C14, C19): `took` is the scheme it took when it refused another.
CREATE TABLE host_manners (
    host TEXT PRIMARY KEY NOT NULL,
    took TEXT,
    took_at BIGINT,
    signed_ed25519_at BIGINT
);

-- Not only PEM any more: Ed25519 keys are multibase (FEP-521a).
ALTER TABLE remote_keys RENAME COLUMN pem TO public;
