//! What the library itself signs is taken: Lemmy and its kin send with it (interop C1, C13).

use activitypub_federation::activity_sending::SendActivityTask;
use activitypub_federation::config::{Data, FederationConfig};
use activitypub_federation::http_signatures::generate_actor_keypair;
use activitypub_federation::traits::{Activity, Actor, Object};
use async_trait::async_trait;
use axum::Router;
use axum::body::Body;
use axum::response::IntoResponse;
use clock::Timestamp;
use http::{Method, Request, StatusCode};
use http_body_util::BodyExt;
use serde::Serialize;
use tokio::sync::mpsc;
use url::Url;
use veerpont::net::keys::PublicKey;
use veerpont::net::signature::{Names, Received, read};

#[derive(Clone, Debug)]
struct Cy {
    id: Url,
    public: String,
    private: String,
}

#[derive(Clone, Debug, Serialize)]
struct Like {
    id: Url,
    actor: Url,
    object: Url,
    r#type: &'static str,
}

type Failure = activitypub_federation::error::Error;

#[async_trait]
impl Object for Cy {
    type DataType = ();
    type Kind = ();
    type Error = Failure;

    fn id(&self) -> &Url {
        &self.id
    }

    async fn read_from_id(_: Url, _: &Data<()>) -> Result<Option<Self>, Failure> {
        Ok(None)
    }

    async fn into_json(self, _: &Data<()>) -> Result<(), Failure> {
        Ok(())
    }

    async fn verify((): &(), _: &Url, _: &Data<()>) -> Result<(), Failure> {
        Ok(())
    }

    async fn from_json((): (), _: &Data<()>) -> Result<Self, Failure> {
        Err(Failure::NotFound)
    }
}

impl Actor for Cy {
    fn public_key_pem(&self) -> &str {
        &self.public
    }

    fn private_key_pem(&self) -> Option<String> {
        Some(self.private.clone())
    }

    fn inbox(&self) -> Url {
        self.id.clone()
    }
}

#[async_trait]
impl Activity for Like {
    type DataType = ();
    type Error = Failure;

    fn id(&self) -> &Url {
        &self.id
    }

    fn actor(&self) -> &Url {
        &self.actor
    }

    async fn verify(&self, _: &Data<()>) -> Result<(), Failure> {
        Ok(())
    }

    async fn receive(self, _: &Data<()>) -> Result<(), Failure> {
        Ok(())
    }
}

/// Lets the library sign a Like and send it over a socket; answers what came out at the other end, and for which host.
async fn sent_by_the_library(cy: &Cy, compatible: bool) -> (Request<bytes::Bytes>, String) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a socket");
    // The library takes no address in place of a name.
    let host = format!("localhost:{}", listener.local_addr().expect("an address").port());
    let (arrived, mut arrivals) = mpsc::channel(1);
    let router = Router::new().fallback(move |request: Request<Body>| {
        let arrived = arrived.clone();
        async move {
            let (head, body) = request.into_parts();
            let body = body.collect().await.expect("a body").to_bytes();
            arrived.send(Request::from_parts(head, body)).await.expect("somebody waits");
            StatusCode::ACCEPTED.into_response()
        }
    });
    let server = tokio::spawn(async move { axum::serve(listener, router).await });
    let config = FederationConfig::builder()
        .domain("lemmy.example")
        .app_data(())
        .debug(true)
        .http_signature_compat(compatible)
        .build()
        .await
        .expect("a configuration");
    let like = Like {
        id: "https://lemmy.example/activities/like/1".parse().expect("an address"),
        actor: cy.id.clone(),
        object: "https://social.example.org/ap/articles/1".parse().expect("an address"),
        r#type: "Like",
    };
    let inbox = format!("http://{host}/ap/inbox?source=test").parse().expect("an address");
    let data = config.to_request_data();
    let tasks = SendActivityTask::prepare(&like, cy, vec![inbox], &data).await.expect("a task");
    assert_eq!(tasks.len(), 1);
    for task in tasks {
        task.sign_and_send(&data).await.expect("sent");
    }
    let request = arrivals.recv().await.expect("a request");
    server.abort();
    (request, host)
}

#[tokio::test]
async fn the_librarys_own_signatures_hold_in_both_its_modes() {
    let pair = generate_actor_keypair().expect("a key");
    let id = "https://lemmy.example/u/cy".parse().expect("an address");
    let cy = Cy { id, public: pair.public_key, private: pair.private_key };
    for compatible in [true, false] {
        let (request, host) = sent_by_the_library(&cy, compatible).await;
        // Signed by the machine's clock: its own Date says when that was.
        let date = request.headers()["date"].to_str().expect("text");
        let now = Timestamp::parse_http_date(date).expect("a date");
        let received = Received {
            method: &Method::POST,
            path_and_query: request.uri().path_and_query().expect("a path").as_str(),
            headers: request.headers(),
            body: request.body(),
        };
        let names = Names { scheme: "http", public: &[&host], behind: &[] };
        let claim = read(&received, &names, now).expect("it keeps every rule");
        assert_eq!(claim.key_id(), "https://lemmy.example/u/cy#main-key");
        assert!(claim.verify(&PublicKey::read(&cy.public).expect("a key")), "compatible: {compatible}");
        let elsewhere = Names { public: &["social.example.org"], ..names };
        assert!(read(&received, &elsewhere, now).is_err(), "H14: it was signed for another host");
    }
}
