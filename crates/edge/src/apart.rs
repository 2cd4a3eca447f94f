//! The edge as a process of its own.
//!
//! **Why.** A steward is the largest program here, and the one that is replaced and debugged. What answers visitors must not
//! end with it: whoever kills a steward, or installs another version, wants no visitor to notice. So the edge lives in a
//! process that does nothing else and knows nothing of why its targets are as they are. It is started by a steward, has a
//! session of its own and outlives it, as keepers do.
//!
//! **How it is reached.** By a socket in the state folder that only its owner may open, and by the socket that it was started
//! with. What is said is in `wire`, how it is said in `line`: messages in JSON, and open files beside them. A steward has
//! a `Remote`, which does what an `Edge` in the same process does. What happens is told to everybody who has asked; a wish
//! for an instance stays with its target until there is one, and is told anew to whoever comes next, so none is lost
//! with a steward that dies over it.
//!
//! **When the steward dies** nothing changes: the table is here. The next steward finds the socket, learns which targets
//! there are, and sets each one when it knows how its instances are; what nobody wants any more it takes away at the end.
//!
//! **When this process dies** what was open is cut off, as it would be with any proxy. But the steward holds every socket
//! that is listened on a second time. Whoever connects meanwhile waits in the queue of the system, and is answered by the
//! process that is started in its place, on the same sockets.
//!
//! **When the program changes** a steward that is another program than the edge starts a successor, which asks for everything
//! (`succession`): the lock, the sockets, the targets. It takes connections first; then the one before stops taking,
//! says with the next answer of each connection that it was the last, tells HTTP/2 visitors to bring new requests elsewhere,
//! and has WebSockets go one by one over their drain. It never closes a connection that is idle: its visitor may be sending
//! a request at that moment. Until its last connection has ended it is told what is set, so that a request which waits there
//! for an instance gets it, and what it counts is counted.
//!
//! **When it ends.** It is told to, by a steward that has stopped everything. Or its folder has gone. Or nobody has looked
//! after it for ten minutes in which no instance lived and nobody asked for anything: then nobody means to come back. One
//! that has been followed ends with its last connection, or soon after its successor has gone and nobody took its place.

mod house;
mod line;
mod remote;
mod succession;
mod wire;

pub use house::{End, serve};
pub use remote::{Held, Remote};
