package store

import (
	"context"
	"database/sql"
	"strings"
	"time"

	"parley/shared/rest"
)

// usageColumns are those that are added up, in the order of usageFields.
const usageColumns = `input_text, input_text_cached, input_audio, input_audio_cached, input_image, input_image_cached, input_other,
	output_text, output_audio, output_other, transcription, transcribed_ms, responses, unconfirmed, cost_micros`

func usageFields(u *rest.Usage) []*int64 {
	t := &u.Tokens
	return []*int64{
		&t.InputText, &t.InputTextCached, &t.InputAudio, &t.InputAudioCached, &t.InputImage, &t.InputImageCached, &t.InputOther,
		&t.OutputText, &t.OutputAudio, &t.OutputOther, &t.Transcription, &u.TranscribedMS, &u.Responses, &u.Unconfirmed, &u.CostMicros,
	}
}

// AddUsage adds what a session used more to what is kept of its day.
func (s *Store) AddUsage(ctx context.Context, e rest.UsageEntry) error {
	columns := strings.Split(usageColumns, ",")
	sums := make([]string, len(columns))
	for i, column := range columns {
		column = strings.TrimSpace(column)
		sums[i] = column + " = usage." + column + " + excluded." + column
	}
	args := []any{s.ids.next(), e.Session, e.Day, e.UserKey, e.User, e.Org, e.Agent, e.Currency}
	for _, n := range usageFields(&e.Usage) {
		args = append(args, *n)
	}
	return s.control.write(ctx, "keeping usage", func(ctx context.Context, tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO usage (id, session, day, user_key, user_shown, org, agent, currency, `+usageColumns+`)
			VALUES (`+placeholders(len(args))+`) ON CONFLICT (session, day) DO UPDATE SET `+strings.Join(sums, ", "), args...)
		return err
	})
}

// SpentOn gives the cost of what a user used of an agent on a day.
func (s *Store) SpentOn(ctx context.Context, userKey, org, agent, day string) (micros int64, err error) {
	err = s.control.read(ctx, "reading what was spent",
		"SELECT COALESCE(SUM(cost_micros), 0) FROM usage WHERE user_key = ? AND day = ? AND agent = ? AND org = ?",
		[]any{userKey, day, agent, org}, func(r rowScanner) error { return r.Scan(&micros) })
	return micros, err
}

// SessionUsage gives what one session used, on all its days.
func (s *Store) SessionUsage(ctx context.Context, session string) (u rest.Usage, err error) {
	sums := strings.Join(strings.Split(usageColumns, ","), "), 0), COALESCE(SUM(")
	err = s.control.read(ctx, "reading a session's usage",
		"SELECT COALESCE(MAX(currency), ''), COALESCE(SUM("+sums+"), 0) FROM usage WHERE session = ?", []any{session},
		func(r rowScanner) error {
			into := []any{&u.Currency}
			for _, n := range usageFields(&u) {
				into = append(into, n)
			}
			return r.Scan(into...)
		})
	return u, err
}

// Usage gives a page of sums, those that began last first, and the cursor of the
// next. What isn't grouped by is added up; money of two currencies never is.
func (s *Store) Usage(ctx context.Context, q rest.UsageQuery) ([]rest.UsageRow, string, error) {
	before, err := idOf(q.Cursor)
	if err != nil {
		return nil, "", err
	}
	var f filter
	if !q.From.IsZero() {
		f.add("usage.day >= ?", rest.DayOf(q.From))
	}
	if !q.To.IsZero() {
		f.add("usage.day <= ?", rest.DayOf(q.To.Add(-time.Nanosecond)))
	}
	f.is("usage.org", q.Org)
	f.is("usage.agent", q.Agent)
	where, args := f.where("usage.id", 0, newestCursor)
	n := limit(q.Limit)
	found := make([]rest.UsageRow, 0, n+1)
	var last []int64
	err = s.control.read(ctx, "adding usage up", usageSelect(q.Group)+where+usageGroup(q.Group),
		append(args, before, n+1), func(r rowScanner) error {
			var u rest.UsageRow
			var id int64
			into := []any{&id, &u.Day, &u.User, &u.Agent, &u.Usage.Currency, &u.Sessions}
			for _, sum := range usageFields(&u.Usage) {
				into = append(into, sum)
			}
			err := r.Scan(into...)
			maskTexts(s.mask, &u.User)
			found, last = append(found, u), append(last, id)
			return err
		})
	if len(found) <= n || err != nil {
		return found, "", err
	}
	return found[:n], cursorOf(last[n-1]), nil
}

// usageSelect selects the sums of groups; what they aren't grouped by is empty.
func usageSelect(g rest.UsageGroup) string {
	column := func(is bool, name string) string {
		if is {
			return "MAX(usage." + name + ")"
		}
		return "''"
	}
	sums := "SUM(usage." + strings.ReplaceAll(strings.Join(strings.Fields(usageColumns), ""), ",", "), SUM(usage.") + ")"
	return "SELECT MAX(usage.id), " + column(g.Has(rest.UsageByDay), "day") + ", " + column(g.Has(rest.UsageByUser), "user_shown") + ", " + column(g.Has(rest.UsageByAgent), "agent") +
		", usage.currency, COUNT(DISTINCT usage.session), " + sums + " FROM usage"
}

func usageGroup(g rest.UsageGroup) string {
	by := " GROUP BY usage.currency"
	for _, of := range []struct {
		is     bool
		column string
	}{{g.Has(rest.UsageByDay), "day"}, {g.Has(rest.UsageByUser), "org, usage.user_key"}, {g.Has(rest.UsageByAgent), "agent"}} {
		if of.is {
			by += ", usage." + of.column
		}
	}
	return by + " HAVING MAX(usage.id) < ? ORDER BY MAX(usage.id) DESC LIMIT ?"
}
