//! The one outgoing client: every request of ours goes through here, under the operator's rules and hard limits.
