package monitor

import (
	"reflect"
	"slices"
	"strings"
	"time"

	"parley/shared/quality"
	"parley/shared/rest"
)

// rowChange is a row as it was told last, and as it is.
type rowChange struct{ before, after rest.Session }

// rowPatch is what a frame tells of a row: see rest.SessionsFrame.
type rowPatch map[string]any

// sessionsFrame is rest.SessionsFrame as the server writes it.
type sessionsFrame struct {
	Seq    uint64     `json:"seq"`
	T      time.Time  `json:"t"`
	Upsert []rowPatch `json:"upsert"`
	Remove []string   `json:"remove"`
}

// patchedFrame makes its patches when the first reader asks for them: while nobody does,
// nothing is compared.
type patchedFrame struct {
	seq     uint64
	at      time.Time
	changes []rowChange
	remove  []string
}

func (f *patchedFrame) resource() any {
	out := sessionsFrame{Seq: f.seq, T: f.at, Remove: f.remove, Upsert: make([]rowPatch, len(f.changes))}
	for i := range f.changes {
		out.Upsert[i] = newPatch(&f.changes[i])
	}
	return out
}

// column is a field of a row.
type column struct {
	index int
	name  string // on the wire
}

func columnsOf[T any]() (out []column) {
	of := reflect.TypeFor[T]()
	for i := range of.NumField() {
		name, _, _ := strings.Cut(of.Field(i).Tag.Get("json"), ",")
		out = append(out, column{i, name})
	}
	return out
}

var rowColumns, metricColumns, qualityColumns = columnsOf[rest.Session](), columnsOf[rest.Metrics](), columnsOf[quality.Verdict]()

const (
	trendColumn   = "mos_trend"
	metricsColumn = "metrics"
	agentColumn   = "agent_leg"
	qualityColumn = "quality"
)

// newPatch is what changed of a row; all that it has, if it is new.
func newPatch(c *rowChange) rowPatch {
	p := rowPatch{"id": c.after.ID}
	before, after := reflect.ValueOf(&c.before).Elem(), reflect.ValueOf(&c.after).Elem()
	for _, column := range rowColumns {
		was, is := before.Field(column.index), after.Field(column.index)
		if reflect.DeepEqual(was.Interface(), is.Interface()) {
			continue
		}
		switch column.name {
		case trendColumn:
			p.addTrend(c)
		case metricsColumn:
			p[metricsColumn] = metricsPatch(c.before.Metrics, c.after.Metrics)
		case qualityColumn:
			p[qualityColumn] = changedFields(qualityColumns, was, is)
		case agentColumn:
			p[agentColumn] = agentPatch(c.before.AgentLeg, c.after.AgentLeg)
		default:
			p[column.name] = valueOrNull(is)
		}
	}
	return p
}

// valueOrNull is a value, or JSON's null for what is missing.
func valueOrNull(v reflect.Value) any {
	switch v.Kind() {
	case reflect.Pointer, reflect.Map, reflect.Slice:
		if v.IsNil() {
			return nil
		}
	}
	return v.Interface()
}

// changedFields are those of a value that are others now.
func changedFields(columns []column, was, is reflect.Value) map[string]any {
	out := make(map[string]any)
	for _, column := range columns {
		v := is.Field(column.index)
		if !reflect.DeepEqual(was.Field(column.index).Interface(), v.Interface()) {
			out[column.name] = valueOrNull(v)
		}
	}
	return out
}

// addTrend adds the newest second of the trend where that is all that it gained.
func (p rowPatch) addTrend(c *rowChange) {
	before, after := c.before.MOSTrend, c.after.MOSTrend
	if n := len(after); n > 0 && len(before) > 0 {
		grown := before[len(before)-min(n-1, len(before)):]
		if slices.Equal(grown, after[:n-1]) && (n == len(before)+1 || n == TrendLength) {
			p["mos_trend_add"] = after[n-1:]
			return
		}
	}
	p[trendColumn] = valueOrNull(reflect.ValueOf(after))
}

// agentPatch goes down to the figures of the agent's leg, where it was told before.
func agentPatch(before, after *rest.AgentLeg) any {
	if before == nil || after == nil {
		return valueOrNull(reflect.ValueOf(after))
	}
	p := map[string]any{metricsColumn: metricsPatch(before.Metrics, after.Metrics)}
	if before.State != after.State {
		p["state"] = after.State
	}
	return p
}

// metricsPatch goes down to the single figure: most of them stand still.
func metricsPatch(before, after map[quality.Direction]rest.Metrics) any {
	out := make(map[quality.Direction]any)
	for d := range before {
		if _, still := after[d]; !still {
			out[d] = nil
		}
	}
	for d, is := range after {
		was, had := before[d]
		figures := changedFields(metricColumns, reflect.ValueOf(was), reflect.ValueOf(is))
		if len(figures) > 0 || !had {
			out[d] = figures
		}
	}
	return out
}
