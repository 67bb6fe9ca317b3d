package call

import (
	"slices"
	"strconv"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"parley/app/ui"
	"parley/shared/rest"
)

// rating asks how the call was. It is kept as a number at the first press; what was
// wrong may be added.
func (s *Summary) rating(r review) app.UI {
	now := r.Rating
	if s.rated != nil {
		now = s.rated
	}
	thumb := func(score int, icon ui.IconName, label string) app.UI {
		return ui.IconButton(icon, label).Class("thumb").Aria("pressed", strconv.FormatBool(now != nil && now.Score == score)).
			OnClick(func(ctx app.Context, _ app.Event) { s.rate(ctx, rest.Rating{Score: score, Tags: tagsOf(now)}) }, app.EventScope("score", score))
	}
	body := []app.UI{
		app.H2().Class("summary-title").ID("how-was-it").Text("How was it?"),
		app.Div().Class("thumbs").Role("group").Aria("labelledby", "how-was-it").Body(
			thumb(0, ui.IconThumbDown, "It was bad"), thumb(1, ui.IconThumbUp, "It was good")),
	}
	if now != nil {
		body = append(body, s.ratingTags(*now))
	}
	word := ""
	switch {
	case s.unsaved:
		word = ui.Copy("rating_unsaved").Text
	case now != nil:
		word = ui.Copy("rating_thanks").Text
	}
	return app.Div().Class("rating").Body(append(body, app.P().Class("rating-word").Text(word))...)
}

func tagsOf(r *rest.Rating) []rest.RatingTag {
	if r == nil {
		return nil
	}
	return r.Tags
}

func (s *Summary) ratingTags(now rest.Rating) app.UI {
	words := map[rest.RatingTag]string{rest.TagCutOut: "Cut out", rest.TagEcho: "Echo", rest.TagSlow: "Slow"}
	chips := make([]app.UI, 0, len(words))
	for _, tag := range rest.RatingTags() {
		chips = append(chips, app.Button().Type("button").Class("chip").Text(words[tag]).
			Aria("pressed", strconv.FormatBool(slices.Contains(now.Tags, tag))).
			OnClick(func(ctx app.Context, _ app.Event) { s.rate(ctx, now.WithTag(tag)) }, app.EventScope("tag", string(tag), now.Score, len(now.Tags))))
	}
	return app.Div().Class("presets").Role("group").Aria("label", "What was wrong").Body(chips...)
}

// rate shows the press at once and keeps it.
func (s *Summary) rate(ctx app.Context, rating rest.Rating) {
	if s.Engine.client == nil {
		return
	}
	s.rated, s.unsaved = &rating, false
	id := s.ID
	ctx.Async(func() {
		err := s.Engine.client.RateSession(ctx, id, rating)
		ctx.Dispatch(func(app.Context) {
			if s.unsaved = err != nil; s.unsaved {
				s.rated = nil
			}
			word := "rating_thanks"
			if s.unsaved {
				word = "rating_unsaved"
			}
			ui.Announce(ui.Copy(word).Text)
		})
	})
}
