package alert

import (
	"strconv"
	"strings"
	"time"
)

// slackMessage is what Slack's incoming webhooks take: text for notifications, blocks
// for the channel.
type slackMessage struct {
	Text   string       `json:"text"`
	Blocks []slackBlock `json:"blocks"`
}

type slackBlock struct {
	Type     string      `json:"type"`
	Text     *slackText  `json:"text,omitempty"`
	Elements []slackText `json:"elements,omitempty"`
}

type slackText struct {
	Type string `json:"type"`
	Text string `json:"text"`
}

// slackEscaper keeps an admin's words from being mark-up, a mention of everybody
// included.
var slackEscaper = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;")

// told is what happened, and how far it is over its limit, and no more: who reads a
// channel or a mailbox may know nothing of people, networks and admins.
func told(p Payload) (head string, lines []string) {
	a := p.Alert
	head = strings.TrimPrefix(p.Event, "alert.")
	head = strings.ToUpper(head[:1]) + head[1:] + ": " + a.Title
	if a.Limit != 0 {
		number := func(v float64) string { return strconv.FormatFloat(v, 'g', 4, 64) }
		lines = append(lines, strings.TrimSpace(number(a.Value)+" (limit "+number(a.Limit)+") "+a.Unit))
	}
	return head, lines
}

func slackOf(p Payload) slackMessage {
	head, lines := told(p)
	head = slackEscaper.Replace(head)
	lines = append([]string{"*" + head + "*"}, lines...)
	if p.Alert.Session != "" {
		lines = append(lines, "session `"+slackEscaper.Replace(p.Alert.Session)+"`")
	}
	foot := "Parley " + slackEscaper.Replace(p.Node) + ", " + p.At.UTC().Format(time.RFC3339)
	return slackMessage{Text: head, Blocks: []slackBlock{
		{Type: "section", Text: &slackText{"mrkdwn", strings.Join(lines, "\n")}},
		{Type: "context", Elements: []slackText{{"mrkdwn", foot}}},
	}}
}
