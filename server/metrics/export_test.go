package metrics

import "github.com/prometheus/client_golang/prometheus"

// Collectors are those of what is told.
func (o *Observer) Collectors() []prometheus.Collector { return o.collectors() }
