//! A mail server: it speaks SMTP over a real socket, keeps what it is given, and refuses as told.
//!
//! Source: RFC 5321, and RFC 4954 for signing in.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::TaskTracker;

/// A mail as it arrived.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mail {
    /// Who signed in, with which password.
    pub login: Option<(String, String)>,
    /// The sender of the envelope.
    pub from: String,
    /// The receivers of the envelope.
    pub to: Vec<String>,
    /// Headers and text.
    pub data: String,
}

#[derive(Debug, Default)]
struct Desk {
    mails: Mutex<Vec<Mail>>,
    /// What is said to every receiver instead of `250`.
    refusal: Mutex<Option<String>>,
}

/// A mail server without encryption. It stops when dropped.
#[derive(Debug)]
pub struct MailServer {
    /// Where it listens.
    pub addr: SocketAddr,
    desk: Arc<Desk>,
    _stop: DropGuard,
}

impl MailServer {
    /// Starts on a free port of this machine.
    pub async fn start() -> anyhow::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let (addr, desk, stop) = (listener.local_addr()?, Arc::<Desk>::default(), CancellationToken::new());
        let (shared, stopped) = (Arc::clone(&desk), stop.clone());
        let tasks = TaskTracker::new();
        tasks.clone().spawn(async move {
            while let Some(Ok((stream, _))) = stopped.run_until_cancelled(listener.accept()).await {
                tasks.spawn(converse(stream, Arc::clone(&shared)));
            }
        });
        Ok(Self { addr, desk, _stop: stop.drop_guard() })
    }

    /// Says this to every receiver from now on, e.g. `450 later`; `None`: takes them.
    pub fn refuse(&self, refusal: Option<&str>) {
        *self.desk.refusal.lock().unwrap_or_else(PoisonError::into_inner) = refusal.map(str::to_owned);
    }

    /// Everything it took, oldest first.
    pub fn mails(&self) -> Vec<Mail> {
        self.desk.mails.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// One conversation. A client that breaks it off ends it.
async fn converse(stream: TcpStream, desk: Arc<Desk>) -> std::io::Result<()> {
    let (reading, mut writing) = stream.into_split();
    let mut lines = BufReader::new(reading).lines();
    let empty = || Mail { login: None, from: String::new(), to: Vec::new(), data: String::new() };
    let mut mail = empty();
    writing.write_all(b"220 testkit ESMTP\r\n").await?;
    while let Some(line) = lines.next_line().await? {
        let verb: String = line.chars().take(4).collect::<String>().to_ascii_uppercase();
        let answer = match verb.as_str() {
            "EHLO" => "250-testkit\r\n250-8BITMIME\r\n250 AUTH PLAIN".to_owned(),
            "HELO" | "NOOP" | "RSET" => "250 fine".to_owned(),
            "AUTH" => match line.split(' ').nth(2).and_then(login) {
                Some(login) => {
                    mail.login = Some(login);
                    "235 welcome".to_owned()
                }
                None => "501 AUTH PLAIN with its argument".to_owned(),
            },
            "MAIL" => {
                mail.from = address(&line);
                "250 fine".to_owned()
            }
            "RCPT" => {
                let refusal = desk.refusal.lock().unwrap_or_else(PoisonError::into_inner).clone();
                if refusal.is_none() {
                    mail.to.push(address(&line));
                }
                refusal.unwrap_or_else(|| "250 fine".to_owned())
            }
            "DATA" => {
                writing.write_all(b"354 go on\r\n").await?;
                while let Some(line) = lines.next_line().await?.filter(|line| line != ".") {
                    mail.data.push_str(line.strip_prefix('.').unwrap_or(&line));
                    mail.data.push('\n');
                }
                let login = mail.login.clone();
                let taken = std::mem::replace(&mut mail, Mail { login, ..empty() });
                desk.mails.lock().unwrap_or_else(PoisonError::into_inner).push(taken);
                "250 kept".to_owned()
            }
            "QUIT" => {
                writing.write_all(b"221 bye\r\n").await?;
                return Ok(());
            }
            _ => "500 what".to_owned(),
        };
        writing.write_all(answer.as_bytes()).await?;
        writing.write_all(b"\r\n").await?;
    }
    Ok(())
}

fn address(line: &str) -> String {
    let inner = line.split_once('<').and_then(|(_, rest)| rest.split_once('>'));
    inner.map(|(address, _)| address.to_owned()).unwrap_or_default()
}

/// Name and password of `AUTH PLAIN`.
fn login(argument: &str) -> Option<(String, String)> {
    let text = String::from_utf8(BASE64.decode(argument).ok()?).ok()?;
    let mut parts = text.split('\0').skip(1).map(str::to_owned);
    Some((parts.next()?, parts.next()?))
}
