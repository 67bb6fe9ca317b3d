// Package acme tests bin/parley against a real certificate authority: pebble, Let's
// Encrypt's own for tests, with a name server that leads its names to loopback.
package acme
