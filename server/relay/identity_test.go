package relay_test

import (
	"testing"
	"testing/synctest"
	"time"

	"parley/server/relay"
)

func TestLegsShareACertificateForAWeek(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		current := relay.NewIdentity()
		first, err := current()
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(relay.IdentityLife - 1)
		if same, _ := current(); !same.Equals(first) {
			t.Error("another certificate a nanosecond before its time")
		}
		time.Sleep(time.Nanosecond)
		next, err := current()
		if err != nil {
			t.Fatal(err)
		}
		if next.Equals(first) {
			t.Error("the same certificate after its time")
		}
		if left := time.Until(first.Expires()); left < 24*time.Hour {
			t.Errorf("a certificate in use was %v from its end", left)
		}
	})
}
