// What the Node servers share: where they listen, ids, cursors, pages and the counts of stretches of time.
import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'

export const port = Number(process.env.PORT)
export const databaseUrl = process.env.DATABASE_URL
export const viewer = process.env.VIEWER
export const schema = readFileSync(new URL('schema.graphql', import.meta.url), 'utf8')

export const uuid = (id) => id.slice(id.lastIndexOf('_') + 1)
export const dashed = (hex) =>
  `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`

export const newUuid = () =>
  `${Date.now().toString(16).padStart(12, '0')}7${randomUUID().replaceAll('-', '').slice(13)}`

export const writeCursor = (occurredAt, key) => Buffer.from(`${occurredAt}|${key}`).toString('base64url')
export const readCursor = (cursor) => Buffer.from(cursor, 'base64url').toString().split('|')

// A page from one row more than it shows; the lists are made when they are asked for.
export class Page {
  constructor (rows, size, continued, cursor) {
    this.more = rows.length > size
    this.nodes = this.more ? rows.slice(0, size) : rows
    this.continued = continued
    this.write = cursor
  }

  get edges () {
    return this.nodes.map((node) => ({ cursor: this.write(node), node }))
  }

  get pageInfo () {
    const { nodes } = this
    return {
      hasNextPage: this.more,
      hasPreviousPage: this.continued,
      startCursor: nodes.length ? this.write(nodes[0]) : null,
      endCursor: nodes.length ? this.write(nodes[nodes.length - 1]) : null
    }
  }
}

const DAY = 86_400_000

// The starts of the days, in UTC, from `from` to before `to`.
export function days (from, to) {
  const starts = []
  const end = Date.parse(to)
  for (let start = Math.floor(Date.parse(from) / DAY) * DAY; start < end; start += DAY) {
    starts.push(new Date(start).toISOString())
  }
  return starts
}

export const COUNTS = `
  SELECT width_bucket(occurred_at, $4::timestamptz[]) AS bucket, count(*)::int AS total,
    (count(*) FILTER (WHERE sentiment_label = 'NEGATIVE'))::int AS negative,
    (count(*) FILTER (WHERE sentiment_label = 'NEUTRAL'))::int AS neutral,
    (count(*) FILTER (WHERE sentiment_label = 'POSITIVE'))::int AS positive,
    sum(sentiment_score) AS scores, count(rating)::int AS rated, sum(rating)::int AS ratings
  FROM feedback WHERE workspace_id = $1::uuid AND occurred_at >= $2::timestamptz AND occurred_at < $3::timestamptz
  GROUP BY 1`

// The statistics from the rows of COUNTS; empty days are there, with zeros.
export function stats (starts, rows) {
  const found = new Array(starts.length).fill(EMPTY)
  const sum = { ...NOTHING }
  for (const row of rows) {
    found[row.bucket - 1] = counts(row)
    for (const name in sum) sum[name] += row[name] ?? 0
  }
  return {
    totals: counts(sum),
    buckets: starts.map((start, index) => ({ start, counts: found[index] }))
  }
}

const NOTHING = { total: 0, negative: 0, neutral: 0, positive: 0, scores: 0, rated: 0, ratings: 0 }

function counts (row) {
  const { total, negative, neutral, positive } = row
  const scored = negative + neutral + positive
  return {
    total,
    negative,
    neutral,
    positive,
    unscored: total - scored,
    averageScore: scored ? row.scores / scored : null,
    averageRating: row.rated ? row.ratings / row.rated : null
  }
}

const EMPTY = counts(NOTHING)

process.on('SIGTERM', () => process.exit(0))
