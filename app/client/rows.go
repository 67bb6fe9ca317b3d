package client

import (
	"bytes"
	"encoding/json"
	"errors"
	"maps"
	"slices"

	"parley/shared/quality"
	"parley/shared/rest"
)

// trendLength is how many seconds of its trend a row keeps.
const trendLength = 60

// rows are the sessions as the stream has told them: what a frame says is what
// changed.
type rows map[string]rest.Session

func newRows(list []rest.Session) rows {
	r := make(rows, len(list))
	for _, s := range list {
		r[s.ID] = s
	}
	return r
}

// patch is what a frame tells of a row. Its own fields hide those of the row that
// a part of a value must not replace.
type patch struct {
	*rest.Session
	Metrics  metricsPatch          `json:"metrics"`
	AgentLeg json.RawMessage       `json:"agent_leg"`
	Poor     map[quality.Owner]int `json:"poor_seconds"`
	TrendAdd []float64             `json:"mos_trend_add"`
}

// metricsPatch is what changed of figures, by direction; null takes one away.
type metricsPatch map[quality.Direction]json.RawMessage

// wireFrame is a frame whose patches are yet to be read.
type wireFrame struct {
	rest.SessionsFrame
	Upsert []json.RawMessage `json:"upsert"`
}

// read makes the rows of a frame whole.
func (r rows) read(data []byte) (f rest.SessionsFrame, err error) {
	frame, ok := splitFrame(data)
	if !ok {
		frame = wireFrame{}
		if err := json.Unmarshal(data, &frame); err != nil {
			return f, err
		}
	}
	f = frame.SessionsFrame
	f.Upsert = make([]rest.Session, len(frame.Upsert))
	for i, raw := range frame.Upsert {
		if f.Upsert[i], err = r.change(raw); err != nil {
			return f, err
		}
	}
	for _, id := range f.Remove {
		delete(r, id)
	}
	return f, nil
}

// change applies a patch to its row, and gives the row as it is then. What was told
// before stays as it was: pages hold it.
func (r rows) change(raw []byte) (rest.Session, error) {
	row := r[idOf(raw)]
	if row.ID != "" && changeOften(&row, raw) {
		r[row.ID] = row
		return row, nil
	}
	return r.changeAny(row, raw)
}

// changeAny applies any patch.
func (r rows) changeAny(row rest.Session, raw []byte) (rest.Session, error) {
	row.EndsAt, row.EndedAt, row.FirstWord, row.Path = clone(row.EndsAt), clone(row.EndedAt), clone(row.FirstWord), clone(row.Path)
	trend := row.MOSTrend
	row.MOSTrend = nil // a new one would be written over the old
	p := patch{Session: &row}
	if err := json.Unmarshal(raw, &p); err != nil {
		return row, err
	}
	if p.Poor != nil {
		row.PoorSeconds = p.Poor
	}
	if row.MOSTrend == nil {
		row.MOSTrend = trend
	}
	if len(p.TrendAdd) > 0 {
		all := append(slices.Clone(row.MOSTrend), p.TrendAdd...)
		row.MOSTrend = all[max(0, len(all)-trendLength):]
	}
	var err, errAgent error
	row.Metrics, err = p.Metrics.apply(row.Metrics)
	row.AgentLeg, errAgent = changeAgentLeg(row.AgentLeg, p.AgentLeg)
	r[row.ID] = row
	return row, errors.Join(err, errAgent)
}

// changeAgentLeg applies what changed of the agent's leg; nothing leaves it as it is.
func changeAgentLeg(old *rest.AgentLeg, raw []byte) (*rest.AgentLeg, error) {
	if len(raw) == 0 {
		return old, nil
	}
	if string(raw) == "null" {
		return nil, nil
	}
	var next rest.AgentLeg
	if old != nil {
		next = *old
	}
	of := struct {
		*rest.AgentLeg
		Metrics metricsPatch `json:"metrics"`
	}{AgentLeg: &next}
	if err := json.Unmarshal(raw, &of); err != nil {
		return old, err
	}
	var err error
	next.Metrics, err = of.Metrics.apply(next.Metrics)
	return &next, err
}

// idOf finds the id of a patch without reading all of it twice: no part of a row has an
// id of its own, and within a text a quote never stands without a backslash. An id has
// no character that JSON escapes; one that isn't found is that of no row.
func idOf(raw []byte) string {
	const key = `"id":"`
	from := bytes.Index(raw, []byte(key))
	if from < 0 {
		return ""
	}
	id := raw[from+len(key):]
	return string(id[:max(bytes.IndexByte(id, '"'), 0)])
}

func clone[T any](v *T) *T {
	if v == nil {
		return nil
	}
	return new(*v)
}

// apply gives figures as they are with the change.
func (changed metricsPatch) apply(old map[quality.Direction]rest.Metrics) (map[quality.Direction]rest.Metrics, error) {
	if len(changed) == 0 {
		return old, nil
	}
	all := maps.Clone(old)
	if all == nil {
		all = make(map[quality.Direction]rest.Metrics, len(changed))
	}
	for d, raw := range changed {
		if string(raw) == "null" {
			delete(all, d)
			continue
		}
		m := all[d].Clone()
		if err := json.Unmarshal(raw, &m); err != nil {
			return old, err
		}
		all[d] = m
	}
	if len(all) == 0 {
		return nil, nil
	}
	return all, nil
}
