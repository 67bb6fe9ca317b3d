package double_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/pion/webrtc/v4"
	"go.uber.org/goleak"

	"parley/server/agent/double"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// service is a double of a dialect, closed at the end of the test.
func service(t *testing.T, dialect double.Dialect) *double.Server {
	t.Helper()
	s, err := double.New(double.Config{Dialect: dialect, Key: "k_1"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// post asks for a call.
func post(s *double.Server, key, kind, body string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodPost, double.CallsPath, strings.NewReader(body))
	r.Header.Set("Content-Type", kind)
	if key != "" {
		r.Header.Set("Authorization", "Bearer "+key)
	}
	answer := httptest.NewRecorder()
	s.ServeHTTP(answer, r)
	return answer
}

// TestWhatIsNoCallIsRefused, in each dialect, and leaves none behind.
func TestWhatIsNoCallIsRefused(t *testing.T) {
	for name, test := range map[string]struct {
		dialect         double.Dialect
		key, kind, body string
		want            int
	}{
		"no key":             {double.JSONSDP, "", "application/json", `{"sdp":"v=0"}`, http.StatusUnauthorized},
		"another key":        {double.JSONSDP, "k_2", "application/json", `{"sdp":"v=0"}`, http.StatusUnauthorized},
		"no offer":           {double.JSONSDP, "k_1", "application/json", `{}`, http.StatusBadRequest},
		"no JSON":            {double.JSONSDP, "k_1", "application/json", `v=0`, http.StatusBadRequest},
		"JSON for SDP":       {double.RawSDP, "k_1", "application/json", `{}`, http.StatusUnsupportedMediaType},
		"no offer at all":    {double.RawSDP, "k_1", "application/sdp", `hello`, http.StatusBadRequest},
		"an SDP and no more": {double.OpenAI, "k_1", "application/sdp", `v=0`, http.StatusUnsupportedMediaType},
	} {
		s := service(t, test.dialect)
		if got := post(s, test.key, test.kind, test.body); got.Code != test.want || len(s.Calls()) != 0 {
			t.Errorf("%s: %d with %d calls, want %d: %s", name, got.Code, len(s.Calls()), test.want, got.Body)
		}
	}
	if _, err := double.New(double.Config{Dialect: "smoke-signals"}); err == nil {
		t.Error("a dialect that there is not is spoken")
	}
}

// TestAServiceThatIsClosedLeavesNothing of its calls, and takes no more.
func TestAServiceThatIsClosedLeavesNothing(t *testing.T) {
	s := service(t, double.JSONSDP)
	pc, err := webrtc.NewPeerConnection(webrtc.Configuration{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = pc.GracefulClose() }()
	if _, err := pc.AddTransceiverFromKind(webrtc.RTPCodecTypeAudio); err != nil {
		t.Fatal(err)
	}
	offer, err := pc.CreateOffer(nil)
	if err != nil {
		t.Fatal(err)
	}
	var body bytes.Buffer
	if err := json.NewEncoder(&body).Encode(map[string]string{"sdp": offer.SDP, "model": "m"}); err != nil {
		t.Fatal(err)
	}
	if got := post(s, "k_1", "application/json", body.String()); got.Code/100 != 2 || s.Live() != 1 {
		t.Fatalf("%d with %d live calls: %s", got.Code, s.Live(), got.Body)
	}
	if err := s.Close(); err != nil || s.Live() != 0 || len(s.Calls()) != 1 || s.Calls()[0].WasHungUp() {
		t.Errorf("closed (%v), and %d of %d calls are live", err, s.Live(), len(s.Calls()))
	}
	if got := post(s, "k_1", "application/json", body.String()); got.Code/100 == 2 || len(s.Calls()) != 1 {
		t.Errorf("closed, and yet a call is answered with %d", got.Code)
	}
}
