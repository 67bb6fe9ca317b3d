package prometheus_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql/parser"

	"parley/shared/quality"
	"parley/shared/rest"
	"parley/shared/wire"
)

var (
	metricRow  = regexp.MustCompile("(?m)^\\| `(parley_\\w+)` \\| (\\w+) \\| ([^|]*) \\| [^|]+ \\|$")
	metricName = regexp.MustCompile(`parley_[a-z_]+`)
)

// ofScrapes are the labels that Prometheus itself adds to what it reads.
var ofScrapes = []string{"instance", "job"}

// known are the labels of each metric, by its name as a query writes it: those of
// METRICS.md, which a test holds to what a server tells, and a few of Prometheus's
// own and its client's.
func known(t *testing.T) map[string][]string {
	t.Helper()
	metrics := map[string][]string{
		"up": {}, "go_goroutines": {}, "process_cpu_seconds_total": {}, "process_resident_memory_bytes": {}, "process_start_time_seconds": {},
	}
	for _, row := range metricRow.FindAllStringSubmatch(read(t, "server/metrics/METRICS.md"), -1) {
		of := strings.Fields(strings.ReplaceAll(row[3], "`", ""))
		if row[2] != "histogram" {
			metrics[row[1]] = of
			continue
		}
		metrics[row[1]+"_sum"], metrics[row[1]+"_count"] = of, of
		metrics[row[1]+"_bucket"] = append(slices.Clone(of), "le")
	}
	if len(metrics) < 30 {
		t.Fatalf("METRICS.md has %d metrics", len(metrics))
	}
	return metrics
}

// values are all that a label can have, where we know.
func values(label string) (all []string) {
	switch label {
	case "cause":
		return texts(wire.EndCauses())
	case "state":
		return texts([]wire.SessionState{wire.StateConnecting, wire.StateActive, wire.StateReconnecting})
	case "owner":
		return texts(quality.Owners)
	case "code":
		return texts([]rest.ProblemCode{rest.CodeCapReached, rest.CodeUserCap, rest.CodeOrgCap, rest.CodeDraining, rest.CodePaused})
	case "part":
		return []string{"store", "access_log", "privacy", "keys", "certificate", "audit_chain", "log_export", "lease", "bus"}
	}
	return nil
}

func texts[T ~string](of []T) (all []string) {
	for _, v := range of {
		all = append(all, string(v))
	}
	return all
}

// checkQuery returns the labels that what a query gives may have, and what is wrong
// with it.
func checkQuery(query string, metrics map[string][]string) (of, faults []string) {
	expr, err := parser.ParseExpr(query)
	if err != nil {
		return nil, []string{err.Error()}
	}
	of = slices.Clone(ofScrapes)
	parser.Inspect(expr, func(node parser.Node, _ []parser.Node) error {
		if s, is := node.(*parser.VectorSelector); is {
			carried, there := metrics[s.Name]
			if !there {
				faults = append(faults, "no server tells "+s.Name)
			}
			of = append(of, carried...)
			for _, m := range s.LabelMatchers {
				faults = append(faults, checkMatcher(m, append(slices.Clone(ofScrapes), carried...))...)
			}
		}
		return nil
	})
	for _, label := range grouped(expr) {
		if !slices.Contains(of, label) {
			faults = append(faults, "none of its metrics has the label "+label)
		}
	}
	return of, faults
}

// checkMatcher returns what is wrong with one label that is asked for.
func checkMatcher(m *labels.Matcher, of []string) []string {
	switch {
	case m.Name == labels.MetricName:
		return nil
	case !slices.Contains(of, m.Name):
		return []string{"it doesn't have the label of " + m.String()}
	}
	picks := m
	if m.Type == labels.MatchNotEqual || m.Type == labels.MatchNotRegexp { // to leave out what isn't there leaves out nothing
		picks = labels.MustNewMatcher(labels.MatchRegexp, m.Name, m.Value)
	}
	if all := values(m.Name); all != nil && !slices.ContainsFunc(all, picks.Matches) {
		return []string{m.String() + " is none of " + strings.Join(all, " ")}
	}
	return nil
}

// grouped are the labels by which a query adds up and joins.
func grouped(expr parser.Expr) (all []string) {
	parser.Inspect(expr, func(node parser.Node, _ []parser.Node) error {
		switch n := node.(type) {
		case *parser.AggregateExpr:
			all = append(all, n.Grouping...)
		case *parser.BinaryExpr:
			if n.VectorMatching != nil {
				all = append(all, n.VectorMatching.MatchingLabels...)
			}
		}
		return nil
	})
	return all
}

func read(t *testing.T, name string) string {
	t.Helper()
	content, err := os.ReadFile(filepath.Join("../../..", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

// What the documents call a metric is one.
func TestMetricsOfDocumentsAreThere(t *testing.T) {
	metrics := known(t)
	for _, document := range []string{"server/OPERATE.md", "server/INSTALL.md"} {
		for _, name := range metricName.FindAllString(read(t, document), -1) {
			if metrics[name] == nil && metrics[name+"_sum"] == nil {
				t.Errorf("%s speaks of %s, which no server tells", document, name)
			}
		}
	}
}

// What is wrong with a query is found.
func TestAWrongQueryIsFound(t *testing.T) {
	metrics := map[string][]string{"parley_sessions_ended_total": {"cause"}}
	for query, wrong := range map[string]bool{
		`sum by (cause) (rate(parley_sessions_ended_total{cause=~"agent_.*"}[5m]))`: false,
		`parley_sesions_ended_total`:                           true,
		`sum by (cause`:                                        true,
		`sum by (reason) (parley_sessions_ended_total)`:        true,
		`parley_sessions_ended_total{reason="x"}`:              true,
		`parley_sessions_ended_total{cause="agent_gone"}`:      true,
		`parley_sessions_ended_total{cause!~"agent_gone|any"}`: true,
		`rate(parley_sessions_ended_total)`:                    true,
	} {
		if _, faults := checkQuery(query, metrics); (len(faults) > 0) != wrong {
			t.Errorf("%s: %q", query, faults)
		}
	}
}
