package store_test

import (
	"reflect"
	"testing"
	"time"

	"parley/server/store"
	"parley/shared/rest"
)

// Turns are kept with all that was measured of them, in their order, by session, and go
// with the session's quality.
func TestTurns(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		began, spoke, lag := noon.Add(time.Second), 1234.5, -20.1
		turn := rest.Turn{
			Number: 1, Started: &began, SpokeMS: &spoke, EndOfSpeech: noon.Add(3 * time.Second), WaitMS: 890, SilenceWindowMS: 500,
			NetworkMS: 80, ToolsMS: 100, ModelMS: 210, IsSpeechMeasured: true, IsAudioMeasured: true, EventLagMS: &lag,
			AgentSpokeMS: &spoke, IsInterrupted: true,
		}
		cut := rest.Interruption{At: noon.Add(5 * time.Second), ClearedMS: &spoke, SilentMS: &spoke}
		must(t, r.AppendTurns(t.Context(), nil))
		must(t, r.AppendTurns(t.Context(), []rest.TurnRecord{{Session: "s", Turn: &turn}, {Session: "other", Turn: &rest.Turn{}}, {Session: "s", Interruption: &cut}}))
		r.pass(time.Hour)
		must(t, r.AppendTurns(t.Context(), []rest.TurnRecord{{Session: "s", Turn: &rest.Turn{Number: 2, EndOfSpeech: noon}}}))
		turns, cuts, err := r.Turns(t.Context(), "s")
		must(t, err)
		if len(turns) != 2 || !reflect.DeepEqual(turns[0], turn) || turns[1].Number != 2 || len(cuts) != 1 || !reflect.DeepEqual(cuts[0], cut) {
			t.Errorf("kept %+v, %+v", turns, cuts)
		}
		if turns, cuts, err = r.Turns(t.Context(), "nobody"); err != nil || turns == nil || cuts == nil || len(turns)+len(cuts) > 0 {
			t.Errorf("of nobody %v, %v, %v", turns, cuts, err)
		}
		d, err := r.Retain(t.Context(), store.Before{Logs: noon.Add(time.Minute)})
		must(t, err)
		if turns, cuts, err = r.Turns(t.Context(), "s"); err != nil || len(turns) != 1 || turns[0].Number != 2 || len(cuts) != 0 || d.Turns != 3 {
			t.Errorf("%d went; left are %v, %v, %v", d.Turns, turns, cuts, err)
		}
	})
}

// Uses of tools are kept beside the turns, and are none of them.
func TestToolUses(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		use := rest.ToolUse{At: noon, Session: "s", Tool: "find_order", Result: "ok", TookMS: 12.5, ArgumentBytes: 20, ResultBytes: 300, RequestSHA256: "ab"}
		must(t, r.AppendTurns(t.Context(), []rest.TurnRecord{{Session: "s", Turn: &rest.Turn{Number: 1}}, {Session: "s", ToolUse: &use}, {Session: "other", ToolUse: &rest.ToolUse{}}}))
		uses, err := r.ToolUses(t.Context(), "s")
		if err != nil || len(uses) != 1 || uses[0] != use {
			t.Errorf("kept %+v, %v", uses, err)
		}
		if turns, cuts, err := r.Turns(t.Context(), "s"); err != nil || len(turns) != 1 || len(cuts) != 0 {
			t.Errorf("turns are %+v, %+v, %v", turns, cuts, err)
		}
		if uses, err = r.ToolUses(t.Context(), "nobody"); err != nil || uses == nil || len(uses) > 0 {
			t.Errorf("of nobody %v, %v", uses, err)
		}
	})
}

// As many are read as may be kept.
func TestTurnsAreBounded(t *testing.T) {
	onEach(t, func(t *testing.T, r *rig) {
		all := make([]rest.TurnRecord, 2*rest.MaxTurns+1)
		for i := range all {
			all[i] = rest.TurnRecord{Session: "s", Turn: &rest.Turn{Number: i + 1}}
		}
		must(t, r.AppendTurns(t.Context(), all))
		turns, _, err := r.Turns(t.Context(), "s")
		if err != nil || len(turns) != 2*rest.MaxTurns {
			t.Errorf("%d are read, %v", len(turns), err)
		}
	})
}
