//! Units and choices in files and messages: as the text that people write.

use super::{
    Bytes, Cidr, Command, Cpu, Date, Domain, Duration, Email, Glob, Name, Path, Rate, Schedule, Unit, Url,
    VarName, Window, Zone,
};
use crate::desired::component::{Protocol, Restart, WatchAction};
use crate::desired::edge::{BotRule, SignIn};
use crate::desired::gate::Stage;
use crate::desired::resource::{Evict, Phase, PoolMode, ResourceKind};
use crate::desired::rollout::{Strategy, WhenInconclusive};
use crate::desired::secret::{Delivery, Generator};
use crate::run::{Kind, State};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::borrow::Cow;

macro_rules! as_text {
    ($($unit:ty),+) => {
        $(
            impl Serialize for $unit {
                fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                    to.collect_str(self)
                }
            }

            impl<'de> Deserialize<'de> for $unit {
                fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                    let text = Cow::<str>::deserialize(from)?;
                    <$unit>::parse(&text).map_err(|misread| {
                        de::Error::custom(format_args!("`{text}` is not {}: it {misread}", <$unit>::WHAT))
                    })
                }
            }
        )+
    };
}

as_text!(
    Bytes, Cidr, Command, Cpu, Date, Domain, Duration, Email, Glob, Name, Path, Rate, Schedule, Url, VarName,
    Window, Zone
);

macro_rules! as_word {
    ($($choice:ty),+) => {
        $(
            impl Serialize for $choice {
                fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                    to.serialize_str(self.word())
                }
            }

            impl<'de> Deserialize<'de> for $choice {
                fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                    let text = Cow::<str>::deserialize(from)?;
                    let known = <$choice>::ALL.iter().find(|choice| choice.word() == text);
                    known.copied().ok_or_else(|| de::Error::custom(format_args!("`{text}` is no word for it")))
                }
            }
        )+
    };
}

as_word!(
    BotRule,
    SignIn,
    Delivery,
    Generator,
    Evict,
    Kind,
    Phase,
    PoolMode,
    Protocol,
    ResourceKind,
    Restart,
    Stage,
    State,
    Strategy,
    WatchAction,
    WhenInconclusive
);
