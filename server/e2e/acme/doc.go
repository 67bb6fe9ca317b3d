// Package acme tests bin/parley against a real certificate authority.
package acme
