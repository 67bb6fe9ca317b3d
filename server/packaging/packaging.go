// Package packaging holds what brings the server to a machine: a Debian package with
// its systemd units, a compose file, manifests of Kubernetes; and what watches it from
// outside: rules for Prometheus, a board for Grafana. The Dockerfile lies at the top,
// where docker looks. The package has no code: its tests hold the files.
package packaging
