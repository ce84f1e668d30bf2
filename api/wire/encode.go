package wire

import (
	"bytes"
	"encoding/json"
	"io"
)

// NewEncoder encodes answers. The marks of HTML stay as they are: the & of a
// link is no \u0026, which shell scripts would have to turn back. The generated
// code uses it (scripts/generate).
func NewEncoder(w io.Writer) *json.Encoder {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	return e
}

// encode is the JSON of v as NewEncoder writes it, without the line's end.
func encode(v any) ([]byte, error) {
	var b bytes.Buffer
	if err := NewEncoder(&b).Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte{'\n'}), nil
}
