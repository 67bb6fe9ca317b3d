package store_test

import (
	"slices"
	"testing"
	"time"
)

// Calls at services outlive a restart, are told their reference once, and are listed
// in the order they were opened in.
func TestUpstreamCalls(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		must(t, r.PutUpstreamCall(t.Context(), "sess_2", "polly", "", noon.Add(time.Second)))
		must(t, r.PutUpstreamCall(t.Context(), "sess_1", "polly", "", noon))
		must(t, r.PutUpstreamCall(t.Context(), "sess_1", "polly", "rtc_1", noon.Add(time.Minute)))
		must(t, r.PutUpstreamCall(t.Context(), "sess_3", "other", "rtc_3", noon))
		must(t, r.DeleteUpstreamCall(t.Context(), "sess_3"))
		must(t, r.DeleteUpstreamCall(t.Context(), "never"))
		r.restart()
		var got []string
		must(t, r.UpstreamCalls(t.Context(), func(session, agent, reference string, opened time.Time) {
			got = append(got, session+" "+agent+" "+reference+" "+opened.Sub(noon).String())
		}))
		if want := []string{"sess_1 polly rtc_1 0s", "sess_2 polly  1s"}; !slices.Equal(got, want) {
			t.Errorf("got %q, want %q", got, want)
		}
	})
}
