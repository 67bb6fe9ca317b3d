package alert_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"parley/shared/rest"
)

// TestASlackMessageTellsWhatHappened, in the shape of Slack's incoming webhooks, with the
// retries of all; of people, networks and admins it has nothing, and an admin's words
// mention nobody.
func TestASlackMessageTellsWhatHappened(t *testing.T) {
	rc := newReceiver(t, func(attempt int, w http.ResponseWriter, _ *http.Request) {
		if attempt == 1 {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	})
	s := sending(t, quick())
	hook := rc.hook()
	hook.Format = rest.WebhookSlack
	s.Send(hook, rest.Alert{
		ID: "a_1", Title: "<!channel> & more", Detail: "203.0.113.0/24", AcknowledgedBy: "otto", State: rest.AlertFiring,
		Value: 0.91, Limit: 0.9, Unit: "ratio", Session: "s_1", RaisedAt: time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC),
	})
	first, second := rc.next(t), rc.next(t)
	if string(first.body) != string(second.body) {
		t.Errorf("the second attempt has another body: %s, then %s", first.body, second.body)
	}
	var sent struct {
		Text   string
		Blocks []struct {
			Type     string
			Text     struct{ Type, Text string }
			Elements []struct{ Type, Text string }
		}
	}
	if err := json.Unmarshal(second.body, &sent); err != nil {
		t.Fatal(err)
	}
	if sent.Text != "Firing: &lt;!channel&gt; &amp; more" || len(sent.Blocks) != 2 || sent.Blocks[0].Type != "section" || sent.Blocks[0].Text.Type != "mrkdwn" ||
		sent.Blocks[0].Text.Text != "*"+sent.Text+"*\n0.91 (limit 0.9) ratio\nsession `s_1`" ||
		sent.Blocks[1].Type != "context" || sent.Blocks[1].Elements[0].Text != "Parley n1, 2026-03-04T05:06:07Z" {
		t.Errorf("sent %s", second.body)
	}
	for _, secret := range []string{"203.0.113", "otto", "<!"} {
		if strings.Contains(string(second.body), secret) {
			t.Errorf("%q is in %s", secret, second.body)
		}
	}
}
