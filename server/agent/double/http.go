package double

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
)

const (
	// maxBody bounds a request.
	maxBody = 1 << 20
	// secretLife is how long a key of client_secrets starts calls, if its request says
	// nothing of it.
	secretLife = 600 * time.Second
)

// secret is a key that starts calls for a while, with a session of its own.
type secret struct {
	expires time.Time
	session map[string]any
}

// routes are those of the dialect.
func (s *Server) routes() (*http.ServeMux, error) {
	mux := http.NewServeMux()
	switch s.cfg.Dialect {
	case OpenAI:
		mux.HandleFunc("POST "+CallsPath, s.withKey(s.createOpenAI))
		mux.HandleFunc("POST "+CallsPath+"/{id}/hangup", s.withKey(s.hangUp))
		mux.HandleFunc("GET "+SidebandPath, s.withKey(s.sideband))
		mux.HandleFunc("POST /v1/realtime/client_secrets", s.withKey(s.createSecret))
	case RawSDP:
		mux.HandleFunc("POST "+CallsPath, s.withKey(s.createRaw))
		mux.HandleFunc("DELETE "+CallsPath+"/{id}", s.withKey(s.hangUp))
	case JSONSDP:
		mux.HandleFunc("POST "+CallsPath, s.withKey(s.createJSON))
	default:
		return nil, fmt.Errorf("double: no dialect %q", s.cfg.Dialect)
	}
	return mux, nil
}

// fail answers with an error as the services do.
func fail(w http.ResponseWriter, status int, kind, code, message string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]any{"error": map[string]any{"type": kind, "code": code, "message": message, "param": nil}})
}

// withKey refuses who has none, or a wrong one, and does first what goes wrong.
func (s *Server) withKey(next func(w http.ResponseWriter, r *http.Request, key string)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		key, isBearer := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		if !isBearer {
			key = r.Header.Get("api-key") // Azure's
		}
		s.mu.Lock()
		secret, isSecret := s.secrets[key]
		s.mu.Unlock()
		if key == "" || s.cfg.Key != "" && key != s.cfg.Key && (!isSecret || time.Now().After(secret.expires)) {
			fail(w, http.StatusUnauthorized, "invalid_request_error", "invalid_api_key", "Incorrect API key provided: "+key)
			return
		}
		r.Body = http.MaxBytesReader(w, r.Body, maxBody)
		next(w, r, key)
	}
}

// createOpenAI takes an offer with its session, or, with a key that has a session,
// alone.
func (s *Server) createOpenAI(w http.ResponseWriter, r *http.Request, key string) {
	s.mu.Lock()
	session := s.secrets[key].session
	s.mu.Unlock()
	kind, _, _ := strings.Cut(r.Header.Get("Content-Type"), ";")
	var offer string
	switch {
	case kind == "application/sdp" && session != nil:
		body, _ := io.ReadAll(r.Body)
		offer = string(body)
	case kind == "multipart/form-data":
		offer = r.FormValue("sdp")
		if text := r.FormValue("session"); text != "" {
			if json.Unmarshal([]byte(text), &session) != nil || session["type"] != "realtime" {
				fail(w, http.StatusBadRequest, "invalid_request_error", "invalid_value", "Invalid session.")
				return
			}
		}
	default:
		fail(w, http.StatusUnsupportedMediaType, "invalid_request_error", "unsupported_content_type", "Unsupported content type.")
		return
	}
	s.create(w, r, offer, session)
}

func (s *Server) createRaw(w http.ResponseWriter, r *http.Request, _ string) {
	if r.Header.Get("Content-Type") != "application/sdp" {
		fail(w, http.StatusUnsupportedMediaType, "invalid_request_error", "unsupported_content_type", "Unsupported content type.")
		return
	}
	body, _ := io.ReadAll(r.Body)
	s.create(w, r, string(body), nil)
}

func (s *Server) createJSON(w http.ResponseWriter, r *http.Request, _ string) {
	var asked struct{ SDP, Model string }
	if json.NewDecoder(r.Body).Decode(&asked) != nil || asked.SDP == "" {
		fail(w, http.StatusBadRequest, "invalid_request_error", "", "sdp is required")
		return
	}
	s.create(w, r, asked.SDP, map[string]any{"model": asked.Model})
}

// create answers an offer: with what goes wrong, or with a call.
func (s *Server) create(w http.ResponseWriter, r *http.Request, offer string, session map[string]any) {
	f := s.currentFaults()
	if !wait(r.Context(), f.Delay) {
		return
	}
	switch {
	case f.Status/100 == 3:
		w.Header().Set("Location", "/v1/elsewhere")
		w.WriteHeader(f.Status)
		return
	case f.Status != 0 && f.Status != http.StatusCreated:
		fail(w, f.Status, "server_error", "made_to_fail", "The request was refused, with "+r.Header.Get("Authorization"))
		return
	}
	c, answer, err := s.answer(offer, session, f)
	if err != nil {
		fail(w, http.StatusBadRequest, "invalid_request_error", "invalid_offer", err.Error())
		return
	}
	c.Request = r.Clone(c.ctx)
	if err := s.add(c); err != nil {
		c.close() // nobody else knows of it
		fail(w, http.StatusServiceUnavailable, "server_error", "closed", err.Error())
		return
	}
	s.tell(w, c, answer, f)
}

// tell writes the answer as the dialect has it.
func (s *Server) tell(w http.ResponseWriter, c *Call, answer string, f Faults) {
	location, kind := CallsPath+"/"+url.PathEscape(c.ID), "application/sdp"
	body := []byte(f.spoil(answer))
	if s.cfg.Dialect == JSONSDP {
		location, kind = "none", "application/json"
		body, _ = json.Marshal(map[string]string{"sdp": string(body), "session_id": c.ID})
	}
	if f.Location != "" {
		location = f.Location
	}
	if location != "none" {
		w.Header().Set("Location", location)
	}
	if f.MediaType != "" {
		kind = f.MediaType
	}
	w.Header().Set("Content-Type", kind)
	w.WriteHeader(http.StatusCreated)
	_, _ = w.Write(body) // who is gone hangs up
}

// spoil makes an answer what it shall be.
func (f Faults) spoil(answer string) string {
	switch {
	case f.IsMalformed:
		return "this is no description"
	case f.IsWithoutOpus:
		return strings.ReplaceAll(answer, "opus/48000/2", "L16/44100/2")
	case f.AnswerSize > len(answer):
		return answer + strings.Repeat("a=x-fill:0\r\n", (f.AnswerSize-len(answer))/12+1)
	}
	return answer
}

// hangUp ends a call.
func (s *Server) hangUp(w http.ResponseWriter, r *http.Request, _ string) {
	id := r.PathValue("id")
	s.mu.Lock()
	status := s.faults.HangUpStatus
	s.mu.Unlock()
	if status != 0 {
		fail(w, status, "server_error", "made_to_fail", "The hang-up was refused.")
		return
	}
	c := s.find(id)
	if c != nil {
		c.wasHungUp.Store(true)
	}
	if c == nil || c.IsOver() {
		fail(w, http.StatusNotFound, "invalid_request_error", "call_id_not_found", "No call found with that id.")
		return
	}
	c.end()
	w.WriteHeader(http.StatusOK)
}

// createSecret gives out a key that starts calls with a session.
func (s *Server) createSecret(w http.ResponseWriter, r *http.Request, _ string) {
	var asked struct {
		ExpiresAfter struct{ Seconds int } `json:"expires_after"`
		Session      map[string]any        `json:"session"`
	}
	if err := json.NewDecoder(r.Body).Decode(&asked); err != nil {
		fail(w, http.StatusBadRequest, "invalid_request_error", "invalid_json", "The body is no JSON.")
		return
	}
	life := secretLife
	if n := asked.ExpiresAfter.Seconds; n >= 10 && n <= 7200 {
		life = time.Duration(n) * time.Second
	}
	if asked.Session == nil {
		asked.Session = map[string]any{"type": "realtime"}
	}
	value, expires := "ek_"+strings.ToLower(rand.Text()), time.Now().Add(life)
	s.mu.Lock()
	s.secrets[value] = secret{expires, asked.Session}
	s.mu.Unlock()
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(map[string]any{"value": value, "expires_at": expires.Unix(), "session": asked.Session})
}

// wait waits that long, and reports whether somebody still wants to know.
func wait(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return true
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
