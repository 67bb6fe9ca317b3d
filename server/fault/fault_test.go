package fault_test

import (
	"errors"
	"fmt"
	"testing"

	"parley/server/fault"
)

func kinds() map[string]error {
	return map[string]error{
		"not found": fault.NotFound, "conflict": fault.Conflict, "bad cursor": fault.BadCursor,
		"unavailable": fault.Unavailable, "unrecorded": fault.Unrecorded,
	}
}

func TestAKindIsFoundUnderWhatWasBeingDone(t *testing.T) {
	for name, kind := range kinds() {
		t.Run(name, func(t *testing.T) {
			wrapped := fmt.Errorf("reading a session: %w", kind)
			explained := fmt.Errorf("silencing: %w", &fault.Explained{Kind: kind, Detail: "it is resolved"})
			for other, k := range kinds() {
				if errors.Is(wrapped, k) != (other == name) || errors.Is(explained, k) != (other == name) {
					t.Errorf("%s taken for %s", name, other)
				}
			}
		})
	}
}

// A line that can't be written because the store is away is both; whoever
// answers looks for the graver one first.
func TestTwoKindsInOne(t *testing.T) {
	err := fmt.Errorf("%w: %w", fault.Unrecorded, fault.Unavailable)
	if !errors.Is(err, fault.Unrecorded) || !errors.Is(err, fault.Unavailable) || errors.Is(err, fault.Conflict) {
		t.Error(err)
	}
}

func TestWhatIsSaid(t *testing.T) {
	var field *fault.BadField
	err := fmt.Errorf("rules: %w", &fault.BadField{Field: "rules[2].above", Detail: "use at most 1"})
	if !errors.As(err, &field) || field.Field != "rules[2].above" || err.Error() != "rules: rules[2].above: use at most 1" {
		t.Errorf("%+v %v", field, err)
	}
	var explained *fault.Explained
	err = &fault.Explained{Kind: fault.Conflict, Detail: "it is resolved already"}
	if !errors.As(err, &explained) || err.Error() != "changed since it was read: it is resolved already" {
		t.Error(err)
	}
}
