package rest

import (
	"slices"
	"strings"
	"time"

	"parley/shared/quality"
	"parley/shared/wire"
)

// What passes a filter is decided here for server and pages alike, so that a list,
// its file and its command show the same.

// Doing says what goes on in a live session, in one word.
type Doing string

// What may go on.
const (
	DoingConnecting   Doing = "connecting"
	DoingListening    Doing = "listening"
	DoingThinking     Doing = "thinking"
	DoingSpeaking     Doing = "speaking"
	DoingQuiet        Doing = "quiet"
	DoingMuted        Doing = "muted"
	DoingReconnecting Doing = "reconnecting"
)

// QuietAfter is how long nobody has to have spoken for a session to be quiet.
const QuietAfter = time.Minute

// DoingAt tells what goes on in a live session at now, which is the server's.
func (s *Session) DoingAt(now time.Time) Doing {
	switch {
	case s.State == wire.StateConnecting:
		return DoingConnecting
	case s.State == wire.StateReconnecting:
		return DoingReconnecting
	case s.Muted:
		return DoingMuted
	case now.Sub(s.LastActiveAt) >= QuietAfter:
		return DoingQuiet
	case s.AgentState == wire.AgentThinking:
		return DoingThinking
	case s.AgentState == wire.AgentSpeaking:
		return DoingSpeaking
	}
	return DoingListening
}

// LevelOf is the level of a session, quality.None for one that has none yet.
func LevelOf(s *Session) quality.Level {
	if s.Quality.Level == "" {
		return quality.None
	}
	return s.Quality.Level
}

// Passes reports whether a live session is one that is asked for, at now.
func (q *ActiveQuery) Passes(s *Session, now time.Time) bool {
	switch {
	case !hasWord(q.Quality, string(LevelOf(s))),
		q.Doing != "" && s.DoingAt(now) != q.Doing,
		q.Agent != "" && s.Agent != q.Agent,
		q.Node != "" && s.Node != q.Node,
		q.Cause != "" && s.Quality.Cause != q.Cause,
		q.Path != "" && s.Path.Kind() != q.Path,
		now.Sub(s.StartedAt) < time.Duration(q.LongerS)*time.Second,
		now.Sub(s.LastActiveAt) < time.Duration(q.IdleS)*time.Second:
		return false
	}
	return hasText(q.Q, s.ID, s.User, s.Name, s.Org, s.Agent, string(s.State), string(LevelOf(s)), string(s.Quality.Cause))
}

// Passes reports whether an activity has the kind and the text that are asked for.
func (q *ActivityQuery) Passes(a *Activity) bool {
	return hasWord(q.Kind, a.Kind) && hasText(q.Q, a.User, a.Name, a.Session, a.Remote, a.Detail, strings.ReplaceAll(a.What, "_", " "))
}

// Passes reports whether a line shows the text that is asked for.
func (q *AuditQuery) Passes(e *AuditEntry) bool {
	return hasText(q.Q, e.Actor, string(e.Action), e.Target, e.Reason, e.Remote, e.RequestID)
}

// hasWord reports whether a word is in a list with commas between; every word is in
// an empty one.
func hasWord(list, word string) bool {
	return list == "" || slices.Contains(strings.Split(list, ","), word)
}

// hasText reports whether one of the texts has part in it, whatever its case.
func hasText(part string, texts ...string) bool {
	part = strings.ToLower(strings.TrimSpace(part))
	return part == "" || slices.ContainsFunc(texts, func(t string) bool { return strings.Contains(strings.ToLower(t), part) })
}
