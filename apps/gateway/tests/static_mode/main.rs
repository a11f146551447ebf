//! Static mode over real sockets: agents that run already, reached over TCP, with all that a session is.

mod lifecycle;
mod upstream;
