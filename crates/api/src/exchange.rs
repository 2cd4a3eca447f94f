//! Exchanging an identity for a token: what a job asks before it has anything to show but who it is.

use crate::client::{ClientError, said, send};
use crate::endpoint::EXCHANGE;
use crate::machine::{Exchange, Minted};
use crate::remote::{place, reach};
use crate::token::{Pin, Token};
use bytes::Bytes;
use http::Request;
use http::header::{CONTENT_TYPE, HOST};
use http_body_util::{BodyExt, Full};
use std::time::Duration;

/// How long a machine may take: it may have to ask the issuer for its keys, and it lets whoever is refused wait.
const PATIENCE: Duration = Duration::from_secs(30);

/// For whom an identity is made out that is shown to the machine with this key. Nobody else can use it: another machine has
/// another key, and whoever stands between does not have this one.
pub fn audience(pin: Pin) -> String {
    format!("towpath:{pin}")
}

/// Shows an identity to the machine with this key, and is given a token for it.
pub async fn exchange(host: &str, port: u16, pin: Pin, shown: &Exchange) -> Result<Token, ClientError> {
    let text = serde_json::to_vec(shown).map_err(ClientError::Garbled)?;
    let request = Request::post(EXCHANGE)
        .header(HOST, place(host, port))
        .header(CONTENT_TYPE, "application/json")
        .body(Full::new(Bytes::from(text)))
        .map_err(|_| ClientError::Cut)?;
    let asked = async {
        let body = said(send(reach(host, port, pin).await?, request).await?).await?;
        let whole = body.collect().await.map_err(|_| ClientError::Cut)?.to_bytes();
        serde_json::from_slice::<Minted>(&whole).map_err(ClientError::Garbled)
    };
    let minted = tokio::time::timeout(PATIENCE, asked)
        .await
        .map_err(|_| ClientError::Cut)??;
    let token = Token::parse(&minted.token).ok().filter(|token| token.pin == pin);
    token.ok_or(ClientError::Cut)
}
