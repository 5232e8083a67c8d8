//! Simulated servers that speak to a bridge over HTTP alone and share none of its protocol code.
