package telemetry

import (
	"time"

	dto "github.com/prometheus/client_model/go"
	common "go.opentelemetry.io/proto/slim/otlp/common/v1"
	metrics "go.opentelemetry.io/proto/slim/otlp/metrics/v1"
)

// convertMetrics says in OTLP what a scrape has: the same figures by the same names, so
// that nothing is counted twice.
func convertMetrics(families []*dto.MetricFamily, since, now time.Time) []*metrics.Metric {
	all := make([]*metrics.Metric, 0, len(families))
	for _, family := range families {
		m := &metrics.Metric{Name: family.GetName(), Description: family.GetHelp()}
		switch family.GetType() {
		case dto.MetricType_COUNTER:
			m.Data = &metrics.Metric_Sum{Sum: &metrics.Sum{
				DataPoints: numbers(family, since, now), IsMonotonic: true,
				AggregationTemporality: metrics.AggregationTemporality_AGGREGATION_TEMPORALITY_CUMULATIVE,
			}}
		case dto.MetricType_HISTOGRAM:
			m.Data = &metrics.Metric_Histogram{Histogram: &metrics.Histogram{
				DataPoints: histograms(family, since, now), AggregationTemporality: metrics.AggregationTemporality_AGGREGATION_TEMPORALITY_CUMULATIVE,
			}}
		case dto.MetricType_SUMMARY:
			m.Data = &metrics.Metric_Summary{Summary: &metrics.Summary{DataPoints: summaries(family, since, now)}}
		default:
			m.Data = &metrics.Metric_Gauge{Gauge: &metrics.Gauge{DataPoints: numbers(family, since, now)}}
		}
		all = append(all, m)
	}
	return all
}

func numbers(family *dto.MetricFamily, since, now time.Time) (points []*metrics.NumberDataPoint) {
	for _, m := range family.GetMetric() {
		value := m.GetGauge().GetValue() + m.GetCounter().GetValue() + m.GetUntyped().GetValue() // it has one of them
		points = append(points, &metrics.NumberDataPoint{
			Attributes: labels(m), StartTimeUnixNano: nanos(since), TimeUnixNano: nanos(now), Value: &metrics.NumberDataPoint_AsDouble{AsDouble: value},
		})
	}
	return points
}

// histograms have buckets of their own where Prometheus's hold those before, too.
func histograms(family *dto.MetricFamily, since, now time.Time) (points []*metrics.HistogramDataPoint) {
	for _, m := range family.GetMetric() {
		h := m.GetHistogram()
		point := &metrics.HistogramDataPoint{
			Attributes: labels(m), StartTimeUnixNano: nanos(since), TimeUnixNano: nanos(now), Count: h.GetSampleCount(), Sum: new(h.GetSampleSum()),
		}
		below := uint64(0)
		for _, bucket := range h.GetBucket() {
			point.ExplicitBounds = append(point.ExplicitBounds, bucket.GetUpperBound())
			point.BucketCounts = append(point.BucketCounts, bucket.GetCumulativeCount()-below)
			below = bucket.GetCumulativeCount()
		}
		point.BucketCounts = append(point.BucketCounts, h.GetSampleCount()-below)
		points = append(points, point)
	}
	return points
}

func summaries(family *dto.MetricFamily, since, now time.Time) (points []*metrics.SummaryDataPoint) {
	for _, m := range family.GetMetric() {
		s := m.GetSummary()
		point := &metrics.SummaryDataPoint{
			Attributes: labels(m), StartTimeUnixNano: nanos(since), TimeUnixNano: nanos(now), Count: s.GetSampleCount(), Sum: s.GetSampleSum(),
		}
		for _, q := range s.GetQuantile() {
			point.QuantileValues = append(point.QuantileValues, &metrics.SummaryDataPoint_ValueAtQuantile{Quantile: q.GetQuantile(), Value: q.GetValue()})
		}
		points = append(points, point)
	}
	return points
}

func labels(m *dto.Metric) (all []*common.KeyValue) {
	for _, l := range m.GetLabel() {
		all = append(all, text(l.GetName(), l.GetValue()))
	}
	return all
}
