//! Runs the `git` program (ADR 7): no shell, no prompts, no hooks, nobody's configuration but ours, no secret among
//! its arguments, bounded in time and output.

use std::ffi::OsStr;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hugo_content::last_words;
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::Command;
use zeroize::Zeroizing;

use super::GitError;
use crate::config::{Remote, Repository};

/// How long one run of git may take: a first fetch of a large site over a slow line.
const LIMIT: Duration = Duration::from_mins(15);

/// Bytes kept of what git says; the rest is read and dropped.
const HEARD: u64 = 64 * 1024;

/// What git and its helpers get of our environment: where programs, homes, agents, proxies and certificates are.
/// Nothing else, so that no secret of ours and no `GIT_…` of the user's reaches them.
const PASSED_ON: &[&str] = &[
    "PATH",
    "HOME",
    "USER",
    "LOGNAME",
    "TMPDIR",
    "SSH_AUTH_SOCK",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "http_proxy",
    "https_proxy",
    "HTTPS_PROXY",
    "all_proxy",
    "ALL_PROXY",
    "no_proxy",
    "NO_PROXY",
];

/// What git is told on every run; it wins over every file.
const SETTINGS: &[(&str, &str)] = &[
    ("core.hooksPath", "/dev/null"),
    ("core.fsmonitor", "false"),
    ("core.autocrlf", "false"),
    ("core.quotePath", "false"),
    ("core.logAllRefUpdates", "false"),
    ("submodule.recurse", "false"),
    ("credential.helper", ""),
    ("http.followRedirects", "false"),
    ("http.lowSpeedLimit", "1000"),
    ("http.lowSpeedTime", "60"),
    // What was fetched earlier is of no use: it goes as soon as git tidies up, which it does while we wait.
    ("gc.autoDetach", "false"),
    ("maintenance.autoDetach", "false"),
    ("gc.pruneExpire", "now"),
    ("advice.detachedHead", "false"),
    ("log.showSignature", "false"),
];

/// The program, set up for one repository.
pub(super) struct Git {
    data: PathBuf,
    files: PathBuf,
    environment: Vec<(String, Zeroizing<String>)>,
}

impl Git {
    pub(super) fn new(repository: &Repository) -> Self {
        let mut git = Self { data: repository.git_dir(), files: repository.files(), environment: Vec::new() };
        for (key, value) in SETTINGS {
            git.set(key, (*value).to_owned());
        }
        let transport = match &repository.remote {
            Remote::Https { .. } => "https",
            Remote::Ssh(_) => "ssh",
            Remote::Local(_) => "file",
        };
        git.environment.push(("GIT_ALLOW_PROTOCOL".to_owned(), Zeroizing::new(transport.to_owned())));
        if let Remote::Ssh(_) = repository.remote {
            git.environment.push(("GIT_SSH_COMMAND".to_owned(), Zeroizing::new(ssh_command(repository))));
        }
        git
    }

    /// One more setting, by the environment, so that it stands in no list of processes.
    fn set(&mut self, key: &str, value: String) {
        let number = self.environment.iter().filter(|(name, _)| name.starts_with("GIT_CONFIG_KEY_")).count();
        self.environment.push((format!("GIT_CONFIG_KEY_{number}"), Zeroizing::new(key.to_owned())));
        self.environment.push((format!("GIT_CONFIG_VALUE_{number}"), Zeroizing::new(value)));
    }

    /// Sends the token to the remote's own host, and to no other.
    pub(super) fn authorize(&mut self, repository: &Repository, token: &str) {
        if let Remote::Https { url, user } = &repository.remote {
            let user = user.as_deref().unwrap_or("git");
            let credentials = Zeroizing::new(STANDARD.encode(format!("{user}:{token}")));
            let host = url.origin().ascii_serialization();
            self.set(&format!("http.{host}/.extraHeader"), format!("Authorization: Basic {}", *credentials));
        }
    }

    /// Runs git, and gives what it wrote.
    pub(super) async fn run<S: AsRef<OsStr>>(&self, arguments: &[S]) -> Result<String, GitError> {
        let settings = self.environment.iter().filter(|(name, _)| name.starts_with("GIT_CONFIG_KEY_")).count();
        let mut command = Command::new("git");
        command.env_clear().envs(PASSED_ON.iter().filter_map(|name| Some((name, std::env::var_os(name)?))));
        command
            .env("GIT_DIR", &self.data)
            .env("GIT_WORK_TREE", &self.files)
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_ATTR_NOSYSTEM", "1")
            .env("GIT_TERMINAL_PROMPT", "0")
            .env("GIT_ASKPASS", "true")
            .env("SSH_ASKPASS", "true")
            .env("SSH_ASKPASS_REQUIRE", "never")
            .env("LC_ALL", "C")
            .env("GIT_CONFIG_COUNT", settings.to_string())
            .envs(self.environment.iter().map(|(name, value)| (name, value.as_str())));
        command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        let mut child = command.spawn().map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => GitError::NotInstalled,
            _ => GitError::Run(error),
        })?;
        let (out, err) = (child.stdout.take(), child.stderr.take());
        let whole = async { tokio::join!(heard(out), heard(err), child.wait()) };
        let (out, err, status) = tokio::time::timeout(LIMIT, whole).await.map_err(|_| GitError::TimedOut(LIMIT))?;
        if status.map_err(GitError::Run)?.success() {
            return Ok(out);
        }
        Err(GitError::Failed(last_words(&err)))
    }
}

/// The beginning of what a stream says; it is read to its end, so that git never waits for us.
async fn heard(stream: Option<impl AsyncRead + Unpin>) -> String {
    let Some(mut stream) = stream else { return String::new() };
    let mut bytes = Vec::new();
    // A stream that breaks off ends; git's status tells what became of it.
    let _ = (&mut stream).take(HEARD).read_to_end(&mut bytes).await;
    let _ = tokio::io::copy(&mut stream, &mut tokio::io::sink()).await;
    String::from_utf8_lossy(&bytes).into_owned()
}

/// What git runs for ssh. It goes through a shell, so paths are quoted.
fn ssh_command(repository: &Repository) -> String {
    let quoted = |text: &str| format!("'{}'", text.replace('\'', r"'\''"));
    let mut command = vec![
        "ssh -oBatchMode=yes -oStrictHostKeyChecking=yes -oConnectTimeout=30 -oClearAllForwardings=yes".to_owned(),
    ];
    if let Some(key) = &repository.ssh_key_file {
        command.push(format!("-oIdentitiesOnly=yes -i {}", quoted(&key.display().to_string())));
    }
    if let Some(hosts) = &repository.ssh_known_hosts_file {
        // ssh reads a list of files here, so that a space in a name needs quotes of its own.
        command.push(format!("-oUserKnownHostsFile={}", quoted(&format!("\"{}\"", hosts.display()))));
    }
    command.join(" ")
}
