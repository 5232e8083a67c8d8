//! Addresses and tricks by which a stranger would make us connect to ourselves or our neighbours (interop G5, T20):
//! each goes through the real client, and no connection is opened.

use std::io;
use std::net::SocketAddr;
use std::sync::Mutex;

use tokio::net::TcpStream;

use super::*;
use crate::config::{ConnectTo, Network};

/// Names as the test has them, turn by turn; opens nothing, and notes what it was asked to open.
#[derive(Default)]
struct Told {
    answers: Mutex<Vec<Vec<&'static str>>>,
    resolved: Mutex<usize>,
    opened: Mutex<Vec<String>>,
}

impl Dial for Told {
    fn resolve<'a>(&'a self, _: &'a str, port: u16) -> BoxFuture<'a, io::Result<Vec<SocketAddr>>> {
        *self.resolved.lock().expect("no panic") += 1;
        let mut answers = self.answers.lock().expect("no panic");
        let answer = if answers.len() > 1 { answers.remove(0) } else { answers[0].clone() };
        let found = answer.iter().map(|ip| SocketAddr::new(ip.parse().expect("an address"), port)).collect();
        Box::pin(async move { Ok(found) })
    }

    fn open(&self, address: SocketAddr) -> BoxFuture<'_, io::Result<TcpStream>> {
        self.opened.lock().expect("no panic").push(address.to_string());
        Box::pin(async { Err(io::Error::other("this test opens nothing")) })
    }
}

impl Told {
    fn with(answers: &[&[&'static str]]) -> Arc<Self> {
        let answers = Mutex::new(answers.iter().map(|answer| answer.to_vec()).collect());
        Arc::new(Self { answers, ..Self::default() })
    }

    fn opened(&self) -> Vec<String> {
        self.opened.lock().expect("no panic").clone()
    }
}

fn client(network: &Network, dial: &Arc<Told>) -> Client {
    Client::dialling(network, "test/1".to_owned(), Arc::<Told>::clone(dial)).expect("a client")
}

/// As a document is fetched: the text is read as an address first.
async fn fetch(client: &Client, text: &str) -> Result<Reply, SendError> {
    let refused = |why: String| SendError::Refused(why);
    let url = Url::parse(text).map_err(|error| refused(error.to_string()))?;
    let request = Request::get(url.as_str()).body(Bytes::new()).map_err(|error| refused(error.to_string()))?;
    client.send(request, Limits { total: Duration::from_secs(5), wanted: Wanted::Whole(1000) }).await
}

/// Addresses that say where they lead, in every spelling.
const WRITTEN: &[&str] = &[
    // IPv4 as it is, short, decimal, octal, hex, mixed
    "https://127.0.0.1/",
    "https://127.1/",
    "https://127.0.1/",
    "https://2130706433/",
    "https://0x7f000001/",
    "https://0x7f.0.0.1/",
    "https://0x7f.1/",
    "https://0177.0.0.1/",
    "https://017700000001/",
    "https://0/",
    "https://0x0/",
    "https://0.0.0.0/",
    "https://10.0.0.1/",
    "https://012.0.0.1/",
    "https://10.1/",
    "https://100.64.0.1/",
    "https://169.254.169.254/latest/meta-data/",
    "https://2852039166/",
    "https://0xa9fea9fe/",
    "https://0251.0376.0251.0376/",
    "https://172.16.0.1/",
    "https://192.168.0.1/",
    "https://192.168.257/",
    "https://3232235521/",
    "https://192.0.0.192/",
    "https://192.0.2.1/",
    "https://192.88.99.1/",
    "https://198.18.0.1/",
    "https://198.51.100.1/",
    "https://203.0.113.1/",
    "https://224.0.0.1/",
    "https://240.0.0.1/",
    "https://255.255.255.255/",
    "https://4294967295/",
    "https://127.0.0.1./",
    "https://127.0.0.1:443/",
    // in other digits, dots and escapes
    "https://１２７.0.0.1/",
    "https://①②⑦.0.0.①/",
    "https://127。0。0。1/",
    "https://127．0．0．1/",
    "https://%31%32%37.0.0.1/",
    "https://127%2e0%2e0%2e1/",
    // IPv6, and IPv4 within it
    "https://[::]/",
    "https://[::1]/",
    "https://[0:0:0:0:0:0:0:1]/",
    "https://[::127.0.0.1]/",
    "https://[::8.8.8.8]/",
    "https://[::ffff:127.0.0.1]/",
    "https://[::ffff:7f00:1]/",
    "https://[::ffff:0:127.0.0.1]/",
    "https://[64:ff9b::127.0.0.1]/",
    "https://[64:ff9b::a9fe:a9fe]/",
    "https://[64:ff9b:1::10.0.0.1]/",
    "https://[2002:7f00:1::]/",
    "https://[2002:a9fe:a9fe::1]/",
    "https://[2001:0:7f00:1::]/",
    "https://[2a00:1450::5efe:10.0.0.1]/",
    "https://[2a00:1450::200:5efe:127.0.0.1]/",
    "https://[100::1]/",
    "https://[2001:db8::1]/",
    "https://[3fff::1]/",
    "https://[5f00::1]/",
    "https://[fc00::1]/",
    "https://[fd00:ec2::254]/",
    "https://[fe80::1]/",
    "https://[fec0::1]/",
    "https://[ff02::1]/",
    "https://[fe80::1%25eth0]/",
    "https://[::1%lo]/",
    // another scheme, user, port, host
    "http://good.example/",
    "ftp://good.example/",
    "gopher://good.example/",
    "file:///etc/passwd",
    "data:application/activity+json,{}",
    "javascript:alert(1)",
    "https://good.example@127.0.0.1/",
    "https://127.0.0.1@good.example/",
    "https://user:secret@good.example/",
    "https://good.example:22/",
    "https://good.example:80/",
    "https://good.example:8443/",
    "https://good.example:0/",
    "https://good.example./",
    "https://localhost./",
    "https:///127.0.0.1/",
    "https:127.0.0.1/",
    "https:\\\\127.0.0.1\\",
    "https://127.0.0.1#@good.example/",
    "https://127.0.0.1?@good.example/",
    "https://127.0.0.1\\@good.example/",
    "https://127.0.0.1\t/",
    "https://good.example%00.evil.example/",
    "//127.0.0.1/",
    "/etc/passwd",
    "",
];

/// What a name may turn out to be.
const RESOLVED: &[&[&str]] = &[
    &["127.0.0.1"],
    &["0.0.0.0"],
    &["10.0.0.1"],
    &["100.100.100.200"],
    &["169.254.169.254"],
    &["192.168.1.1"],
    &["198.19.0.1"],
    &["::1"],
    &["::"],
    &["::ffff:10.0.0.1"],
    &["::10.0.0.1"],
    &["64:ff9b::10.0.0.1"],
    &["64:ff9b:1::10.0.0.1"],
    &["2002:a00:1::"],
    &["2001:0:a00:1::"],
    &["fd00::1"],
    &["fe80::1"],
    &["fec0::1"],
    &["127.0.0.1", "::1", "10.0.0.1"],
];

#[tokio::test]
async fn no_spelling_of_an_address_opens_a_connection_g5() {
    assert!(WRITTEN.len() + RESOLVED.len() >= 60);
    for text in WRITTEN {
        // Were a name asked for, it would be public.
        let dial = Told::with(&[&["1.1.1.1"]]);
        let error = fetch(&client(&Network::default(), &dial), text).await.expect_err(text);
        assert!(matches!(error, SendError::Refused(_)), "{text}: {error:?}");
        assert_eq!((dial.opened(), *dial.resolved.lock().expect("no panic")), (Vec::<String>::new(), 0), "{text}");
    }
}

#[tokio::test]
async fn no_name_leads_to_a_private_address_g5() {
    for answer in RESOLVED {
        for name in ["private.example", "LOCALHOST", "a.localhost", "metadata.google.internal", "bücher.example"] {
            let dial = Told::with(&[answer]);
            let error = fetch(&client(&Network::default(), &dial), &format!("https://{name}/")).await.expect_err(name);
            assert!(matches!(error, SendError::Refused(_)), "{name} {answer:?}: {error:?}");
            assert_eq!(dial.opened(), Vec::<String>::new(), "{name} {answer:?}");
        }
    }
}

#[tokio::test]
async fn of_several_addresses_the_public_ones_alone_are_tried() {
    let dial = Told::with(&[&["127.0.0.1", "1.1.1.1", "::ffff:10.0.0.1", "fd00::1"]]);
    let error = fetch(&client(&Network::default(), &dial), "https://mixed.example/").await.expect_err("nobody there");
    assert!(matches!(error, SendError::Connect(_)), "{error:?}");
    assert_eq!(dial.opened(), ["1.1.1.1:443"]);
}

/// The address that is checked is the one connected to: there is no second look-up to answer differently.
#[tokio::test]
async fn a_name_that_changes_its_mind_gains_nothing() {
    let dial = Told::with(&[&["1.1.1.1"], &["127.0.0.1"]]);
    let client = client(&Network::default(), &dial);
    let first = fetch(&client, "https://rebinding.example/").await.expect_err("nobody there");
    assert!(matches!(first, SendError::Connect(_)), "{first:?}");
    assert_eq!((dial.opened(), *dial.resolved.lock().expect("no panic")), (vec!["1.1.1.1:443".to_owned()], 1));
    let second = fetch(&client, "https://rebinding.example/").await.expect_err("private now");
    assert!(matches!(second, SendError::Refused(_)), "{second:?}");
    assert_eq!(dial.opened().len(), 1);
}

#[tokio::test]
async fn connect_to_opens_its_own_name_and_port_alone() {
    let target = "127.0.0.1:9301".parse().expect("an address");
    let connect_to = vec![ConnectTo { host: "peer.example".to_owned(), port: 443, target }];
    let network = Network { connect_to, ..Network::default() };
    for text in [
        "https://other.example/",
        "https://sub.peer.example/",
        "https://peer.example.evil.example/",
        "https://peer.example./",
        "https://peer.example:9301/",
        "http://peer.example/",
        "https://127.0.0.1/",
        "https://peer.example@127.0.0.1/",
    ] {
        let dial = Told::with(&[&["127.0.0.1"]]);
        let error = fetch(&client(&network, &dial), text).await.expect_err(text);
        assert!(matches!(error, SendError::Refused(_)), "{text}: {error:?}");
        assert_eq!(dial.opened(), Vec::<String>::new(), "{text}");
    }
    let dial = Told::with(&[&["127.0.0.1"]]);
    fetch(&client(&network, &dial), "https://Peer.Example/").await.expect_err("this test opens nothing");
    assert_eq!(dial.opened(), ["127.0.0.1:9301"]);
}
