"""What the tests of this room stand on: a Redis process, a backend, the service itself, viewers, batches."""
