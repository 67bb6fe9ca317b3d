package ui_test

import (
	"math"
	"math/rand/v2"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"parley/app/ui"
	"parley/shared/quality"
)

// TestNoFigureIsWrittenThatIsNone: what is no number is a dash, in every unit.
func TestNoFigureIsWrittenThatIsNone(t *testing.T) {
	for name, write := range map[string]func(float64) string{
		"milliseconds": ui.Millis, "seconds": ui.Seconds, "percent": ui.Percent, "ratio": ui.Ratio, "MOS": ui.MOS, "exact MOS": ui.MOSExact, "bitrate": ui.Bitrate,
	} {
		for _, v := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
			if got := write(v); got != ui.Missing {
				t.Errorf("%s of %v: %q", name, v, got)
			}
			if html := app.HTMLString(ui.Number(&v, write)); !strings.Contains(html, `aria-label="no data"`) {
				t.Errorf("%s of %v is shown as %s", name, v, html)
			}
		}
		if html := app.HTMLString(ui.Number(nil, write)); !strings.Contains(html, `aria-label="no data"`) {
			t.Errorf("%s that was not measured is shown as %s", name, html)
		}
	}
}

// TestCountsAreWhatTheyGroup: the digits in their order, in threes from the right.
func TestCountsAreWhatTheyGroup(t *testing.T) {
	grouped := regexp.MustCompile(`^−?[0-9]{1,3}(\x{202f}[0-9]{3})*$`)
	random := rand.New(rand.NewPCG(1, 2))
	numbers := []int64{0, 1, -1, 999, 1000, -999, -1000, 999_999, 1_000_000, math.MaxInt64, math.MinInt64 + 1}
	for range 500 {
		numbers = append(numbers, random.Int64()>>random.IntN(63))
	}
	for _, n := range numbers {
		got := ui.Count(n)
		plain := strings.NewReplacer("\u202f", "", "−", "-").Replace(got)
		if back, err := strconv.ParseInt(plain, 10, 64); err != nil || back != n || !grouped.MatchString(got) {
			t.Errorf("%d is written %q", n, got)
		}
	}
}

// TestDurationsAreReadBack from what is written and from what is said.
func TestDurationsAreReadBack(t *testing.T) {
	words := regexp.MustCompile(`(\d+) (hour|minute|second)(s?)`)
	units := map[string]int{"hour": 3600, "minute": 60, "second": 1}
	for _, s := range []int{0, 1, 59, 60, 61, 119, 3599, 3600, 3601, 3661, 36_000, 86_399, 86_400, 360_000} {
		d := time.Duration(s) * time.Second
		sum := 0
		for _, part := range strings.Split(ui.Duration(d), ":") {
			n, err := strconv.Atoi(part)
			if err != nil || len(part) == 0 {
				t.Fatalf("%v is written %q", d, ui.Duration(d))
			}
			sum = 60*sum + n
		}
		said := 0
		for _, m := range words.FindAllStringSubmatch(ui.DurationWords(d), -1) {
			n, _ := strconv.Atoi(m[1])
			said += n * units[m[2]]
			if (n == 1) != (m[3] == "") {
				t.Errorf("%v is said %q", d, ui.DurationWords(d))
			}
		}
		if sum != s || said != s {
			t.Errorf("%v is written %q and said %q", d, ui.Duration(d), ui.DurationWords(d))
		}
	}
}

// TestASparkStaysInItsBox, whatever its values are, and begins anew behind each gap.
func TestASparkStaysInItsBox(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	odd := []float64{0, 1, 4.5, -1, 1e300, -1e300, math.NaN(), math.Inf(1), math.Inf(-1), 3.1}
	number := regexp.MustCompile(`-?\d+`)
	for range 500 {
		s := ui.Spark{ZeroIsGap: random.IntN(2) == 0}
		if random.IntN(2) == 0 {
			s.Low, s.High = 1, 4.5
		}
		for range random.IntN(70) {
			s.Values = append(s.Values, odd[random.IntN(len(odd))])
		}
		d, x, y := ui.SparkPath(s)
		for i, text := range number.FindAllString(d, -1) {
			n, err := strconv.Atoi(text)
			if most := []int{720, 200}[i%2]; err != nil || n < 0 || n > most {
				t.Fatalf("%+v leaves its box: %s", s, d)
			}
		}
		starts, isDrawn := 0, false
		for _, v := range s.Values {
			isGap := math.IsNaN(v) || math.IsInf(v, 0) || s.ZeroIsGap && v == 0
			if !isGap && !isDrawn {
				starts++
			}
			isDrawn = !isGap
		}
		if got := strings.Count(d, "M"); got != starts || (x >= 0) != (starts > 0) || y < 0 {
			t.Fatalf("%+v: %d pieces, want %d; it ends at %d, %d", s, got, starts, x, y)
		}
	}
}

// TestStatesSayWhatTheyAreGiven and nothing more: an empty part leaves no element.
func TestStatesSayWhatTheyAreGiven(t *testing.T) {
	retry := func(app.Context, app.Event) {}
	for name, test := range map[string]struct {
		state       app.UI
		want, lacks []string
	}{
		"empty":             {ui.EmptyState{Icon: ui.IconPhone, Title: "No calls yet."}.UI(), []string{"state-empty", "No calls yet."}, []string{"state-text", "state-action", "<button"}},
		"empty, with words": {ui.EmptyState{Icon: ui.IconPhone, Title: "No calls yet.", Text: "Call the agent."}.UI(), []string{"Call the agent."}, []string{"state-action"}},
		"empty, to do":      {ui.EmptyState{Icon: ui.IconPhone, Title: "x", Action: ui.Button(ui.Plain, ui.IconCheck, "Call")}.UI(), []string{"state-action", "<button", "Call"}, []string{"state-text"}},
		"error":             {ui.ErrorState{Title: "It didn't load."}.UI(), []string{"state-error", "It didn&#39;t load."}, []string{"Try again", "Request "}},
		"error, to retry":   {ui.ErrorState{Title: "x", Retry: retry}.UI(), []string{"Try again", "<button"}, []string{"Request "}},
		"error, with an id": {ui.ErrorState{Title: "x", RequestID: "req_1"}.UI(), []string{"Request ", "state-foot"}, []string{"Try again"}},
		"page":              {ui.Page{Icon: ui.IconLock, Title: "Admins only", Text: "No."}.UI(), []string{"<h1", "Admins only", "state-page"}, []string{"state-action"}},
		"markup is text":    {ui.EmptyState{Title: "<b>&", Text: "<script>"}.UI(), []string{"&lt;b&gt;&amp;", "&lt;script&gt;"}, []string{"<b>", "<script"}},
	} {
		html := app.HTMLString(test.state)
		for _, want := range test.want {
			if !strings.Contains(html, want) {
				t.Errorf("%s lacks %q: %s", name, want, html)
			}
		}
		for _, not := range test.lacks {
			if strings.Contains(html, not) {
				t.Errorf("%s has %q: %s", name, not, html)
			}
		}
	}
}

// TestASkeletonHoldsThePlaceOfWhatLoads, and says so to who can't see it.
func TestASkeletonHoldsThePlaceOfWhatLoads(t *testing.T) {
	for _, kind := range []ui.SkeletonKind{ui.SkeletonTiles, ui.SkeletonRows, ui.SkeletonText, ui.SkeletonCard} {
		for _, n := range []int{0, 1, 5} {
			html := app.HTMLString(ui.Skeleton(kind, n))
			if strings.Count(html, `"skeleton-part"`) != n || !strings.Contains(html, "skeleton-"+string(kind)) || !strings.Contains(html, `aria-label="Loading"`) || !strings.Contains(html, "aria-busy") {
				t.Errorf("%d of %s: %s", n, kind, html)
			}
		}
	}
}

// TestARatingIsInWordsAsInColour: each level has a word of its own, and advice only
// where something can be done.
func TestARatingIsInWordsAsInColour(t *testing.T) {
	causes := []quality.Cause{quality.CauseNone, quality.CauseLoss, quality.CauseDelay, quality.CauseJitter, quality.CauseCPU}
	words := map[string]quality.Level{}
	for _, l := range []quality.Level{quality.None, quality.Poor, quality.Fair, quality.Good, quality.Excellent} {
		word := ui.LevelWord(l)
		if other, twice := words[word]; twice {
			t.Errorf("%s and %s are both %q", l, other, word)
		}
		words[word] = l
		for _, c := range causes {
			for _, d := range []quality.Direction{"", quality.ToAgent, quality.ToCaller} {
				v := quality.Verdict{Level: l, MOS: 3, Cause: c, Direction: d, Value: 12}
				if isWeak := l == quality.Fair || l == quality.Poor; (ui.Advice(v) != "") != isWeak {
					t.Errorf("%s with %s: %q", l, c, ui.Advice(v))
				}
				title := ui.BadgeTitle(v)
				if l != quality.None && (!strings.HasPrefix(title, word+".") || strings.Contains(title, "Main cause") != (c != quality.CauseNone)) {
					t.Errorf("%s with %s: %q", l, c, title)
				}
			}
		}
	}
}
