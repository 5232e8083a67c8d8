//! What things cost, in statements and claims, never in time: each stays under a bound that stands in the test.

mod addresses;
mod backlog;
mod counter;
pub(crate) mod crowded;
mod deliveries;
mod fan_out;
mod idle;
mod inbound;
mod lists;
mod quiet;
mod serving;
mod stranger_html;
mod sync;
