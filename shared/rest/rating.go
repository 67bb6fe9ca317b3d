package rest

import "slices"

// Rating is what a caller thought of a call: a number, so that the mean over many calls
// is the share of those that were liked, and what was wrong.
type Rating struct {
	Score int         `json:"score" minimum:"0" maximum:"1" doc:"1 liked, 0 not"`
	Tags  []RatingTag `json:"tags,omitempty" maxItems:"3" enum:"cut_out,echo,slow" doc:"what was wrong"`
}

// RatingTag is one thing that was wrong with a call.
type RatingTag string

// What may be wrong with a call.
const (
	TagCutOut RatingTag = "cut_out"
	TagEcho   RatingTag = "echo"
	TagSlow   RatingTag = "slow"
)

// RatingTags are all of them, in the order in which they are asked for.
func RatingTags() []RatingTag { return []RatingTag{TagCutOut, TagEcho, TagSlow} }

// WithTag is the rating with a tag, or without it if it had it.
func (r Rating) WithTag(tag RatingTag) Rating {
	has := slices.Contains(r.Tags, tag)
	var tags []RatingTag
	for _, t := range RatingTags() {
		if t == tag && !has || t != tag && slices.Contains(r.Tags, t) {
			tags = append(tags, t)
		}
	}
	r.Tags = tags
	return r
}

// OwnSession is GET …/sessions/{id}: a session as its caller sees it; and, with the
// cost, GET …/monitoring/sessions/{id}, as an admin does.
type OwnSession struct {
	SessionRecord
	// Usage is what the agent used in it; what that cost is for admins to know.
	Usage *Usage `json:"usage,omitempty"`
	// ToolUses are told to admins only.
	ToolUses []ToolUse `json:"tool_uses,omitempty" doc:"functions that the model called, oldest first, as many as 1,000; without what was passed"`
}
