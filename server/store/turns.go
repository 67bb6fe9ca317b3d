package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"

	"parley/server/fault"
	"parley/shared/rest"
)

// Kinds of rows of the table turn.
const kindTurn, kindInterruption, kindTool = "turn", "interruption", "tool"

// AppendTurns keeps turns and interruptions, all in one transaction.
func (s *Store) AppendTurns(ctx context.Context, turns []rest.TurnRecord) error {
	rows := make([][]any, 0, len(turns))
	for _, t := range turns {
		kind, of := kindTurn, any(t.Turn)
		switch {
		case t.Interruption != nil:
			kind, of = kindInterruption, t.Interruption
		case t.ToolUse != nil:
			kind, of = kindTool, t.ToolUse
		}
		measures, err := json.Marshal(of)
		if err != nil {
			return err
		}
		id := s.ids.next()
		if err := s.bulk.makePlace(ctx, "turn", id); err != nil {
			return err
		}
		rows = append(rows, []any{id, t.Session, kind, string(measures)})
	}
	if len(rows) == 0 {
		return nil
	}
	return s.telemetry.write(ctx, "keeping turns", func(ctx context.Context, tx *sql.Tx) error {
		for _, row := range rows {
			if _, err := tx.ExecContext(ctx, "INSERT INTO turn (id, session, kind, measures) VALUES ("+placeholders(4)+")", row...); err != nil {
				return err
			}
		}
		return nil
	})
}

// Turns gives the turns and interruptions of a session, oldest first, as many of each as
// are kept.
func (s *Store) Turns(ctx context.Context, session string) (turns []rest.Turn, interruptions []rest.Interruption, err error) {
	turns, interruptions = []rest.Turn{}, []rest.Interruption{}
	err = s.telemetry.read(ctx, "reading turns", "SELECT kind, measures FROM turn WHERE session = ? AND kind <> ? ORDER BY id LIMIT ?",
		[]any{session, kindTool, 2 * rest.MaxTurns}, func(r rowScanner) error {
			var kind, measures string
			if err := r.Scan(&kind, &measures); err != nil {
				return err
			}
			var turn rest.Turn
			var interruption rest.Interruption
			into := any(&turn)
			if kind == kindInterruption {
				into = &interruption
			}
			if err := json.Unmarshal([]byte(measures), into); err != nil {
				return fmt.Errorf("%w: turns of %s: %w", fault.Unavailable, session, err)
			}
			if kind == kindInterruption {
				interruptions = append(interruptions, interruption)
			} else {
				turns = append(turns, turn)
			}
			return nil
		})
	return turns, interruptions, err
}

// ToolUses gives the uses of tools in a session, oldest first, as many as are kept.
func (s *Store) ToolUses(ctx context.Context, session string) ([]rest.ToolUse, error) {
	uses := []rest.ToolUse{}
	err := s.telemetry.read(ctx, "reading uses of tools", "SELECT measures FROM turn WHERE session = ? AND kind = ? ORDER BY id LIMIT ?",
		[]any{session, kindTool, rest.MaxTurns}, func(r rowScanner) error {
			var text string
			if err := r.Scan(&text); err != nil {
				return err
			}
			var use rest.ToolUse
			if err := json.Unmarshal([]byte(text), &use); err != nil {
				return fmt.Errorf("%w: tools of %s: %w", fault.Unavailable, session, err)
			}
			uses = append(uses, use)
			return nil
		})
	return uses, err
}
