//! Browser extensions and the stores that they are released to.

use super::rollout::Rollout;
use super::secret::ToSecret;
use crate::unit::{Duration, Money, Name};
use crate::word::Ref;
use crate::{choice, table};

choice! {
    /// A browser.
    Browser
    /// Chrome.
    Chrome = "chrome";
    /// Firefox.
    Firefox = "firefox";
    /// Edge.
    Edge = "edge";
    /// Safari.
    Safari = "safari";
}

choice! {
    /// A store.
    StoreKind
    /// Chrome Web Store.
    ChromeWebStore = "chrome-web-store";
    /// Mozilla's add-ons.
    Amo = "amo";
    /// Microsoft's Edge add-ons.
    EdgeAddons = "edge-addons";
}

impl StoreKind {
    /// The name that people know it by.
    pub fn title(self) -> &'static str {
        match self {
            StoreKind::ChromeWebStore => "Chrome Web Store",
            StoreKind::Amo => "Mozilla AMO",
            StoreKind::EdgeAddons => "Edge Add-ons",
        }
    }

    /// The users that a listing needs before the store rolls out to a share of them; `None` where it never does.
    pub fn share_needs_users(self) -> Option<u32> {
        match self {
            // The Chrome Web Store offers partial rollout from 10,000 seven-day active users on.
            StoreKind::ChromeWebStore => Some(10_000),
            StoreKind::Amo | StoreKind::EdgeAddons => None,
        }
    }
}

table! {
    /// A store that an extension is released to.
    Store {}
    /// Which one.
    kind: StoreKind { required eg "chrome-web-store" };
    /// The listing's id.
    id: Option<String> { eg "aaaabbbbccccddddeeeeffffgggghhhh" };
    /// The secrets that let us upload.
    secrets: Vec<Ref<ToSecret>> { eg "CHROME_TOKEN" };
    /// How long the review is expected to take; longer is an alert.
    review: Option<Duration> { eg "3d" };
    /// Another store of the same extension, whose package has to be built and uploaded first.
    after: Option<Name> { eg "chrome" };
    /// How it reaches users. It holds as a whole, in place of the extension's.
    rollout: Option<Rollout>;
    /// The users that the listing has, for what the store allows.
    users: Option<u32> { eg "1200" };
    /// The package is signed.
    signed: bool = true;
    /// A one-time fee, for the cost.
    fee: Option<Money> { eg "$5" };
}
