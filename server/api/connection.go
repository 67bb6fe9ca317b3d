package api

import (
	"context"
	"errors"
	"slices"
	"time"

	"parley/server/accesslog"
	"parley/server/auth"
	"parley/server/fault"
	"parley/shared/quality"
	"parley/shared/rest"
)

// remembered is how long the live picture keeps a session's seconds; what is
// older is in the record.
const remembered = time.Hour

type connectionInput struct {
	ID    string    `path:"id" maxLength:"128"`
	From  time.Time `query:"from" doc:"RFC 3339; default: the session's beginning"`
	To    time.Time `query:"to" doc:"RFC 3339; default: now"`
	StepS int       `query:"step_s" minimum:"1" maximum:"3600" default:"10" doc:"seconds between points"`
}

func (in *connectionInput) step() time.Duration { return time.Duration(in.StepS) * time.Second }

type connectionOutput struct{ Body rest.Connection }

// connection is for the session's owner and for admins. To anyone else it is
// unknown, like one that never was.
func (a *API) connection(ctx context.Context, in *connectionInput) (*connectionOutput, error) {
	accesslog.LineOf(ctx).Session(in.ID)
	if err := checkSpan(in.From, in.To); err != nil {
		return nil, err
	}
	owned, err := a.find(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	if !a.owns(ctx, owned) {
		if err := a.viewAsAdmin(ctx, "connection", owned); err != nil {
			return nil, err
		}
	}
	out, err := a.qualityOf(ctx, in, owned)
	return &connectionOutput{out}, err
}

// owned is a session, and whose: live ones know the subject, the record its key.
type owned struct {
	id, user, key, org string
	record             *rest.SessionRecord
}

// find looks for a session among the live ones, then in the record.
func (a *API) find(ctx context.Context, id string) (owned, error) {
	if user, org, ok := a.Sessions.Owner(id); ok {
		return owned{id: id, user: user, org: org}, nil
	}
	record, err := a.Record.Session(ctx, id)
	if err != nil {
		return owned{}, err
	}
	return owned{id: id, key: record.UserKey, org: record.Org, record: &record}, nil
}

// owns tells whether the session is the caller's. A subject of one organization
// is not that of another.
func (a *API) owns(ctx context.Context, s owned) bool {
	v := caller(ctx)
	if a.Auth.Mode() == auth.Organization && s.org != v.Org {
		return false
	}
	if s.user != "" {
		return s.user == v.Subject
	}
	return s.key != "" && s.key == a.Privacy.UserKey(v.Subject)
}

// viewAsAdmin lets an admin see what isn't theirs, on record. Who is none is
// told that there is nothing.
func (a *API) viewAsAdmin(ctx context.Context, resource string, s owned) error {
	v := caller(ctx)
	scope, ok := a.Auth.Scope(v.Identity)
	if !ok || !scope.Covers(s.org) {
		return fault.NotFound
	}
	if !v.network {
		a.Auth.LogRefusal(ctx, v.remote, "network", causeNetwork)
		a.denied(ctx, v, rest.CodeNetwork)
		return &rest.Problem{Code: rest.CodeNetwork}
	}
	return a.recordView(ctx, auditView{resource: resource, target: s.id, org: s.org, rows: 1})
}

// qualityOf takes the seconds from where they are: the live picture, or the
// record of what is over or long ago.
func (a *API) qualityOf(ctx context.Context, in *connectionInput, s owned) (rest.Connection, error) {
	longAgo := !in.To.IsZero() && time.Since(in.To) > remembered
	if !longAgo {
		if found, ok := a.Monitor.Connection(in.ID, in.From, in.To, in.step()); ok {
			_ = a.addKeptTurns(ctx, in.ID, &found.Turns) // while the record can't be read, what the picture has is all there is
			return found, nil
		}
	}
	if s.record == nil {
		record, err := a.Record.Session(ctx, in.ID)
		if err != nil {
			return rest.Connection{}, err
		}
		s.record = &record
	}
	from, to := within(*s.record, in.From, in.To)
	streams, err := a.Record.Streams(ctx, in.ID, from, to, in.step())
	if err != nil && !errors.Is(err, fault.NotFound) {
		return rest.Connection{}, err
	}
	c := pastConnection(*s.record, streams)
	return c, a.addKeptTurns(ctx, in.ID, &c.Turns)
}

// addKeptTurns puts the turns of the record before the newest, which the live picture
// has, and as it has them.
func (a *API) addKeptTurns(ctx context.Context, session string, of *rest.SessionTurns) error {
	turns, interruptions, err := a.Record.Turns(ctx, session)
	if err != nil {
		return err
	}
	of.Latest = mergeBy(turns, of.Latest, func(t rest.Turn) int64 { return int64(t.Number) })
	of.LatestInterruptions = mergeBy(interruptions, of.LatestInterruptions, func(i rest.Interruption) int64 { return i.At.UnixMilli() })
	return nil
}

// mergeBy returns what is in older and not in newer, by key, and then newer.
func mergeBy[T any](older, newer []T, key func(T) int64) []T {
	has := make(map[int64]bool, len(newer))
	for _, v := range newer {
		has[key(v)] = true
	}
	older = slices.DeleteFunc(older, func(v T) bool { return has[key(v)] })
	return append(older, newer...)
}

// within cuts a stretch of time to the session's life: a series has a point for
// each step of it.
func within(r rest.SessionRecord, from, to time.Time) (time.Time, time.Time) {
	end := time.Now()
	if r.EndedAt != nil {
		end = r.EndedAt.Add(time.Second) // the second that it ended in counts
	}
	if !from.IsZero() && from.Before(r.StartedAt) {
		from = r.StartedAt
	}
	if !to.IsZero() && to.After(end) {
		to = end
	}
	if !to.IsZero() && to.Before(from) {
		to = from
	}
	return from, to
}

// pastConnection rates what is over: each stream by its average, and the whole
// by the level at which it stood longest.
func pastConnection(r rest.SessionRecord, streams []rest.StreamQuality) rest.Connection {
	c := rest.Connection{
		SessionID: r.ID, Rating: quality.Verdict{Level: r.Quality.Level}, Streams: streams, Errors: []rest.ErrorCount{},
		Turns:       rest.SessionTurns{TurnSummary: r.Quality.Turns, Latest: []rest.Turn{}, LatestInterruptions: []rest.Interruption{}},
		PoorSeconds: r.Quality.PoorSeconds,
	}
	if r.Quality.Level == "" {
		c.Rating.Level = quality.None
	}
	setAverageRating(&c.Rating, r.Quality.Summary)
	for i := range streams {
		st := &streams[i]
		st.Rating.Level = quality.None
		if st.Summary.R != nil {
			st.Rating.Level = quality.LevelOf(st.Summary.R.Avg)
		}
		setAverageRating(&st.Rating, st.Summary)
		for j := len(st.Series) - 1; j >= 0; j-- {
			if !st.Series[j].Gap {
				st.Latest = st.Series[j].Metrics
				break
			}
		}
	}
	return c
}

func setAverageRating(v *quality.Verdict, s rest.Summary) {
	if s.R != nil {
		v.R = s.R.Avg
	}
	if s.MOS != nil {
		v.MOS = s.MOS.Avg
	}
}

// checkSpan refuses a stretch of time that ends before it begins.
func checkSpan(from, to time.Time) error {
	if !from.IsZero() && !to.IsZero() && to.Before(from) {
		return &rest.Problem{Code: rest.CodeOutOfRange, Field: "to", Detail: "to is before from"}
	}
	return nil
}
