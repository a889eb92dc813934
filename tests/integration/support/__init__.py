"""What the integration tests are written with: real processes, real sockets, strict readers."""
