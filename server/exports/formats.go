package exports

import (
	"bufio"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/klauspost/compress/gzip"
	"github.com/parquet-go/parquet-go"
	"github.com/tidwall/gjson"
)

// Formats of files.
const (
	NDJSON  = "ndjson"
	CSV     = "csv"
	Parquet = "parquet"
)

// suffixes of the files of each format.
var suffixes = map[string]string{NDJSON: ".ndjson.gz", CSV: ".csv.gz", Parquet: ".parquet"}

// rowWriter writes the rows of a file. It keeps none of the cells.
type rowWriter interface {
	write([]cell) error
	close() error
}

func newRowWriter(format string, w io.Writer, columns []Column) (rowWriter, error) {
	switch format {
	case Parquet:
		return newParquet(w, columns), nil
	case CSV:
		return newLines(w, columns, appendCSV, csvHead(columns))
	default:
		return newLines(w, columns, jsonLine(columns), nil)
	}
}

// lines writes a line for each row, compressed.
type lines struct {
	columns []Column
	append  func(b []byte, columns []Column, row []cell) []byte
	zip     *gzip.Writer
	out     *bufio.Writer
	line    []byte
}

func newLines(w io.Writer, columns []Column, line func([]byte, []Column, []cell) []byte, head []byte) (*lines, error) {
	zip, err := gzip.NewWriterLevel(w, gzip.BestSpeed)
	if err != nil {
		return nil, err
	}
	l := &lines{columns: columns, append: line, zip: zip, out: bufio.NewWriterSize(zip, 64<<10)}
	_, err = l.out.Write(head)
	return l, err
}

func (l *lines) write(row []cell) error {
	l.line = append(l.append(l.line[:0], l.columns, row), '\n')
	_, err := l.out.Write(l.line)
	return err
}

func (l *lines) close() error {
	if err := l.out.Flush(); err != nil {
		return err
	}
	return l.zip.Close()
}

const timeLayout = "2006-01-02T15:04:05.999999Z"

func appendInstant(b []byte, micros int64) []byte {
	return time.UnixMicro(micros).UTC().AppendFormat(b, timeLayout)
}

// jsonLine writes rows as objects with each column as a member.
func jsonLine(columns []Column) func([]byte, []Column, []cell) []byte {
	names := make([]string, len(columns)) // with what stands before them
	for i, c := range columns {
		names[i] = `,"` + c.Name + `":`
	}
	names[0] = "{" + names[0][1:]
	return func(b []byte, columns []Column, row []cell) []byte {
		for i, c := range row {
			b = append(b, names[i]...)
			switch kind := columns[i].Type; {
			case !c.set:
				b = append(b, "null"...)
			case kind == Integer:
				b = strconv.AppendInt(b, c.number, 10)
			case kind == Boolean:
				b = strconv.AppendBool(b, c.number != 0)
			case kind == Timestamp:
				b = append(appendInstant(append(b, '"'), c.number), '"')
			case kind == JSON:
				b = append(b, c.text...)
			default:
				b = gjson.AppendJSONString(b, c.text)
			}
		}
		return append(b, '}')
	}
}

// appendCSV writes a row as RFC 4180 says. Texts are in quotes, also empty ones, and
// null is nothing at all, which PostgreSQL and others read back as it was.
func appendCSV(b []byte, columns []Column, row []cell) []byte {
	for i, c := range row {
		if i > 0 {
			b = append(b, ',')
		}
		switch kind := columns[i].Type; {
		case !c.set:
		case kind == Integer:
			b = strconv.AppendInt(b, c.number, 10)
		case kind == Boolean:
			b = strconv.AppendBool(b, c.number != 0)
		case kind == Timestamp:
			b = appendInstant(b, c.number)
		default:
			b = append(append(append(b, '"'), strings.ReplaceAll(c.text, `"`, `""`)...), '"')
		}
	}
	return b
}

func csvHead(columns []Column) []byte {
	names := make([]string, len(columns))
	for i, c := range columns {
		names[i] = c.Name
	}
	return []byte(strings.Join(names, ",") + "\n")
}

const (
	// groupRows and groupBytes end a group of rows in a Parquet file: as many are
	// in memory, which compresses them well enough.
	groupRows  = 50_000
	groupBytes = 16 << 20
	// heldRows are handed to the library at once.
	heldRows = 64
)

// parquetFile writes Parquet, in which every column may be null.
type parquetFile struct {
	columns []Column
	at      []int // of each column in the file, where they are in the order of names
	w       *parquet.GenericWriter[any]
	rows    []parquet.Row
	held    int
	group   struct{ rows, bytes int }
}

func newParquet(w io.Writer, columns []Column) *parquetFile {
	nodes, names := parquet.Group{}, []string{}
	for _, c := range columns {
		nodes[c.Name] = parquet.Optional(parquetNode(c.Type))
		names = append(names, c.Name)
	}
	slices.Sort(names)
	p := &parquetFile{columns: columns, at: make([]int, len(columns)), rows: make([]parquet.Row, heldRows)}
	for i, c := range columns {
		p.at[i] = slices.Index(names, c.Name)
	}
	for i := range p.rows {
		p.rows[i] = make(parquet.Row, len(columns))
	}
	p.w = parquet.NewGenericWriter[any](w, parquet.NewSchema("record", nodes), parquet.Compression(&parquet.Snappy), parquet.CreatedBy("helpd", "", ""))
	return p
}

func parquetNode(t Type) parquet.Node {
	switch t {
	case Integer:
		return parquet.Int(64)
	case Boolean:
		return parquet.Leaf(parquet.BooleanType)
	case Timestamp:
		return parquet.Timestamp(parquet.Microsecond)
	case JSON:
		return parquet.JSON()
	}
	return parquet.String()
}

func (p *parquetFile) write(row []cell) error {
	out := p.rows[p.held]
	for i, c := range row {
		v, at := parquet.Value{}, p.at[i]
		switch kind := p.columns[i].Type; {
		case !c.set:
			out[at] = v.Level(0, 0, at)
			continue
		case kind == Integer, kind == Timestamp:
			v = parquet.Int64Value(c.number)
		case kind == Boolean:
			v = parquet.BooleanValue(c.number != 0)
		default:
			v = parquet.ByteArrayValue([]byte(c.text))
			p.group.bytes += len(c.text)
		}
		out[at] = v.Level(0, 1, at)
	}
	p.held++
	p.group.rows++
	if p.held < len(p.rows) {
		return nil
	}
	return p.hand()
}

// hand gives the library the rows that are held, and ends their group if it is
// large enough.
func (p *parquetFile) hand() error {
	_, err := p.w.WriteRows(p.rows[:p.held])
	p.held = 0
	if err != nil || p.group.rows < groupRows && p.group.bytes < groupBytes {
		return err
	}
	p.group.rows, p.group.bytes = 0, 0
	return p.w.Flush()
}

func (p *parquetFile) close() error {
	if err := p.hand(); err != nil {
		return err
	}
	return p.w.Close()
}
