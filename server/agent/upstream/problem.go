package upstream

import (
	"cmp"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"regexp"
	"time"

	"parley/server/agent/realtime"
	"parley/server/outbound"
	"parley/shared/wire"
)

// ProblemKind says what went wrong with a service, in one word for logs and counts.
type ProblemKind string

// The kinds.
const (
	Unreachable  ProblemKind = "unreachable"   // no connection to its server, or a broken one
	Forbidden    ProblemKind = "forbidden"     // its address is none that may be reached
	TimedOut     ProblemKind = "timed_out"     // it didn't answer in time
	Insecure     ProblemKind = "insecure"      // its certificate, or its TLS, doesn't hold
	Redirected   ProblemKind = "redirected"    // it sends to another place
	KeyRefused   ProblemKind = "key_refused"   // 401, 403
	RateLimited  ProblemKind = "rate_limited"  // 429
	Refused      ProblemKind = "refused"       // any other 4xx
	Failed       ProblemKind = "failed"        // 5xx
	BadAnswer    ProblemKind = "bad_answer"    // no answer of its dialect
	NotConnected ProblemKind = "not_connected" // the media connection didn't come about
	Busy         ProblemKind = "busy"          // the agent's own limit of calls
	Lost         ProblemKind = "lost"          // the connection broke in mid-call
	Stuck        ProblemKind = "stuck"         // the connection stands, and nothing comes
	Flooding     ProblemKind = "flooding"      // it sends more than any service does
	Unrecorded   ProblemKind = "unrecorded"    // the disk doesn't take that a call is open
	Broken       ProblemKind = "broken"        // on our side
)

// Problem is why a call at a service did not come about, or ended. Its text is for
// admins; ForCaller is for the one who calls. Neither has anything of what the
// service wrote but a code.
type Problem struct {
	Agent  string
	Kind   ProblemKind
	Detail string
	cause  wire.EndCause
}

// EndCause is what a call ends with that the problem broke off.
func (p *Problem) EndCause() wire.EndCause { return cmp.Or(p.cause, wire.AgentLeft) }

// Error implements error.
func (p *Problem) Error() string {
	return fmt.Sprintf("agent %s: %s: %s", p.Agent, p.Kind, p.Detail)
}

// ForCaller is what the caller can do about it, in a sentence.
func (p *Problem) ForCaller() string {
	switch p.Kind {
	case Busy, RateLimited, Failed:
		return "The voice service has too much to do just now. Try again in a minute."
	case KeyRefused, Forbidden, Redirected, Refused, BadAnswer, Insecure:
		return "The voice service isn't set up right. Tell whoever runs this site."
	case Lost, Stuck, Flooding:
		return "The voice service broke off. Call again."
	case Unreachable, TimedOut, NotConnected, Unrecorded, Broken:
	}
	return "The voice service can't be reached just now. Try again in a minute."
}

// stuckProblem is that of a service at which nothing goes on.
func (a *Agent) stuckProblem(of realtime.Alarm, now time.Time) *Problem {
	p := a.problem(Stuck, string(of.Stuck)+" for "+now.Sub(of.Since).Round(time.Second).String())
	p.cause = stuckCause(of.Stuck)
	return p
}

// stuckCause is what a call ends with whose agent is stuck in a way; "" for none.
func stuckCause(of realtime.Stuck) wire.EndCause {
	switch of {
	case realtime.StuckNoMedia:
		return wire.AgentSilent
	case realtime.StuckSilentStart, realtime.StuckNoEvents:
		return wire.AgentUnresponsive
	case realtime.StuckNoEnd:
		return wire.ResponseTimeout
	case realtime.StuckGone:
		return wire.AgentLost
	}
	return ""
}

func (a *Agent) problem(kind ProblemKind, detail string) *Problem {
	p := &Problem{Agent: a.cfg.Name, Kind: kind, Detail: detail}
	if kind == Lost {
		p.cause = wire.AgentLost
	}
	return p
}

// exchangeProblem is what a request failed with. The error's own text may name what
// only the configuration may know.
func (a *Agent) exchangeProblem(err error) *Problem {
	var name *net.DNSError
	var timeout net.Error
	var certificate *tls.CertificateVerificationError
	var record tls.RecordHeaderError
	var alert tls.AlertError
	host := a.url.Host
	switch {
	case errors.Is(err, outbound.ErrAddress):
		return a.problem(Forbidden, host+" is at an address that the server must not reach; write allow_private if it is your own service")
	case errors.As(err, &name):
		return a.problem(Unreachable, host+" has no address; look at url")
	case errors.As(err, &timeout) && timeout.Timeout(), errors.Is(err, context.DeadlineExceeded):
		return a.problem(TimedOut, fmt.Sprintf("%s didn't answer within %s", host, a.cfg.Timeouts.Exchange))
	case errors.As(err, &certificate), errors.As(err, &record), errors.As(err, &alert), errors.Is(err, http.ErrSchemeMismatch):
		return a.problem(Insecure, host+" shows no certificate that holds for it; look at url")
	}
	return a.problem(Unreachable, host+" takes no connection, or broke it; look at url, and at the network")
}

// statusProblem is what a service said with a status that is no success; nil if it
// is one.
func (a *Agent) statusProblem(status int, body []byte) error {
	said := fmt.Sprintf("HTTP %d%s", status, codeOf(body))
	switch {
	case status == http.StatusOK, status == http.StatusCreated:
		return nil
	case status >= 300 && status < 400:
		return a.problem(Redirected, said+": redirects are not followed; write the last address as url")
	case status == http.StatusUnauthorized, status == http.StatusForbidden:
		return a.problem(KeyRefused, said+": the service doesn't take the key; look at key_file or key_env")
	case status == http.StatusTooManyRequests:
		return a.problem(RateLimited, said+": the service takes no more of this key just now; look at the account's limits and budget")
	case status >= 500:
		return a.problem(Failed, said+": the service has a fault of its own")
	}
	return a.problem(Refused, said+": the service doesn't take the request; look at url, dialect, model and voice")
}

// errorCode is what the code of a service's error may look like: it is a word of the
// service's, never a sentence, which could quote the key.
var errorCode = regexp.MustCompile(`^[a-z][a-z0-9_.]{0,63}$`)

// codeOf returns the code of an error answer, for behind a status; "" if it has none.
func codeOf(body []byte) string {
	var answer struct {
		Error struct{ Code, Type string } `json:"error"`
	}
	if json.Unmarshal(body, &answer) != nil {
		return ""
	}
	for _, code := range []string{answer.Error.Code, answer.Error.Type} {
		if errorCode.MatchString(code) {
			return " " + code
		}
	}
	return ""
}
