// Package prometheus holds the rules for Prometheus and the board for Grafana against
// Prometheus's own parser, and against what /metrics is said to tell. It is one of the
// tests' module, for the parser is no part of the product.
package prometheus
