package rest_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strconv"
	"testing"

	"parley/shared/rest"
)

// TestEveryReasonHasOneLongestLength: a tag can't name a constant, and a form that is
// longer than the server's would have its words refused.
func TestEveryReasonHasOneLongestLength(t *testing.T) {
	for _, test := range []struct {
		body    any
		isAsked bool // a reason has to be given
	}{{rest.EndRequest{}, true}, {rest.RevealRequest{}, true}, {rest.RevokeRequest{}, false}, {rest.PauseRequest{}, false}, {rest.EraseRequest{}, false}} {
		f, there := reflect.TypeOf(test.body).FieldByName("Reason")
		if !there {
			t.Fatalf("%T has no reason", test.body)
		}
		if got := f.Tag.Get("maxLength"); got != strconv.Itoa(rest.MaxReason) {
			t.Errorf("%T takes %s characters, want %d", test.body, got, rest.MaxReason)
		}
		if got := f.Tag.Get("minLength") == "1"; got != test.isAsked {
			t.Errorf("%T: an empty reason is refused: %v", test.body, got)
		}
	}
}

// TestALimitIsWithinItsLargest: who asks for no number gets one that may be asked for.
func TestALimitIsWithinItsLargest(t *testing.T) {
	if rest.DefaultLimit < 1 || rest.DefaultLimit > rest.MaxLimit {
		t.Errorf("%d by default, %d at most", rest.DefaultLimit, rest.MaxLimit)
	}
	if longest := 6 * rest.MaxReason; longest > rest.MaxBody {
		t.Errorf("a reason may be %d bytes as JSON writes it, a body %d", longest, rest.MaxBody)
	}
}

// TestAProblemIsFoundThroughItsWrapping, with all that a page says of it.
func TestAProblemIsFoundThroughItsWrapping(t *testing.T) {
	for name, test := range map[string]struct {
		body string
		want rest.Problem
	}{
		"busy": {`{"type":"about:blank","title":"Busy","status":503,"code":"cap_reached","request_id":"r_1","retry_after_s":12,"limit":250}`,
			rest.Problem{Type: "about:blank", Title: "Busy", Status: 503, Code: rest.CodeCapReached, RequestID: "r_1", RetryAfterS: 12, Limit: 250}},
		"a field": {`{"title":"Out of range","status":422,"code":"out_of_range","field":"reason","request_id":""}`,
			rest.Problem{Title: "Out of range", Status: 422, Code: rest.CodeOutOfRange, Field: "reason"}},
		"a newer server's code": {`{"title":"?","status":418,"code":"teapot","hint":"x"}`, rest.Problem{Title: "?", Status: 418, Code: "teapot"}},
		"of a proxy before it":  {`{"status":502}`, rest.Problem{Status: 502}},
	} {
		problem := new(rest.Problem)
		if err := json.Unmarshal([]byte(test.body), problem); err != nil {
			t.Fatal(err)
		}
		var found *rest.Problem
		if err := fmt.Errorf("get sessions: %w", problem); !errors.As(err, &found) || !reflect.DeepEqual(*found, test.want) {
			t.Errorf("%s: %+v, want %+v", name, found, test.want)
		}
	}
}
