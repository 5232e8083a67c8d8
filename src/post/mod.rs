//! What a site published: posts, and the articles made of them.
