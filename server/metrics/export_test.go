package metrics

import "github.com/prometheus/client_golang/prometheus"

// Collectors are those of what is told.
func (o *Observer) Collectors() []prometheus.Collector { return o.collectors() }

// CPUSpan is over how long the share of the processors is taken.
const CPUSpan = cpuSpan
