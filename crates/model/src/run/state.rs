//! The states of a component, as they are told.

use crate::choice;

choice! {
    /// How a component is.
    State
    /// It waits for what it needs.
    Waiting = "waiting";
    /// It waits for something that will not become well by itself.
    Blocked = "blocked";
    /// It is being built.
    Building = "building";
    /// It has been started and is not well yet.
    Starting = "starting";
    /// As many instances as are wanted are well.
    Ready = "ready";
    /// It serves, with fewer instances than are wanted.
    Degraded = "degraded";
    /// It runs and is not well.
    Unwell = "unwell";
    /// It ends again and again.
    Looping = "crash-looping";
    /// It cannot go on by itself: its build failed, or it ended and stays so.
    Failed = "failed";
    /// A person stopped it.
    Stopped = "stopped";
    /// It is being stopped.
    Stopping = "stopping";
    /// It sleeps until somebody asks, or until its schedule wakes it.
    Asleep = "asleep";
    /// A job, which runs at its time.
    Scheduled = "scheduled";
    /// A job, which runs now.
    Running = "running";
    /// A job that ran and ended well.
    Done = "done";
}

impl State {
    /// Whether others that need it may start.
    pub fn is_well(self) -> bool {
        matches!(
            self,
            State::Ready | State::Degraded | State::Asleep | State::Scheduled | State::Running | State::Done
        )
    }

    /// Whether nothing more will happen by itself for now: what waits for `up` to be done need not wait longer.
    pub fn is_settled(self) -> bool {
        !matches!(
            self,
            State::Waiting | State::Building | State::Starting | State::Stopping
        )
    }
}
