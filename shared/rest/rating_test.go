package rest_test

import (
	"slices"
	"testing"

	"parley/shared/rest"
)

// TestARatingsTagsComeAndGo, each once and always in the same order.
func TestARatingsTagsComeAndGo(t *testing.T) {
	var r rest.Rating
	for _, step := range []struct {
		press rest.RatingTag
		want  []rest.RatingTag
	}{
		{rest.TagSlow, []rest.RatingTag{rest.TagSlow}},
		{rest.TagCutOut, []rest.RatingTag{rest.TagCutOut, rest.TagSlow}},
		{rest.TagEcho, rest.RatingTags()},
		{rest.TagEcho, []rest.RatingTag{rest.TagCutOut, rest.TagSlow}},
		{rest.TagCutOut, []rest.RatingTag{rest.TagSlow}},
		{rest.TagSlow, nil},
	} {
		if r = r.WithTag(step.press); !slices.Equal(r.Tags, step.want) {
			t.Errorf("after %s: %v, want %v", step.press, r.Tags, step.want)
		}
	}
}
