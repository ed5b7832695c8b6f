// Fastify and Mercurius with JIT: set-based loaders and prepared statements on pg, of the columns that are asked for.
import Fastify from 'fastify'
import { GraphQLScalarType } from 'graphql'
import mercurius from 'mercurius'
import pg from 'pg'
import {
  COUNTS, Page, databaseUrl, days, newUuid, port, readCursor, schema, stats, uuid, viewer, writeCursor
} from './common.mjs'

// As texts that go straight into the answer: dates would be parsed and written again.
pg.types.setTypeParser(pg.types.builtins.TIMESTAMPTZ, (text) => `${text.slice(0, 10)}T${text.slice(11, -3)}Z`)
pg.types.setTypeParser(pg.types.builtins.UUID, (text) => text.replaceAll('-', ''))

const pool = new pg.Pool({ connectionString: databaseUrl, max: 10, min: 10 })
const names = new Map()

// Prepared once a connection, by name.
async function rows (text, values) {
  let name = names.get(text)
  if (!name) names.set(text, name = `s${names.size}`)
  return (await pool.query({ name, text, values })).rows
}

// A row under its public id. Loaders key their batches by JSON, for which toJSON spares them the whole row.
class Row {
  constructor (kind, row) {
    this.id = kind + row.key
    Object.assign(this, row)
  }

  toJSON () {
    return this.id
  }
}

const COLUMNS = {
  id: [],
  source: ['source_id AS "sourceId"'],
  externalId: ['external_id AS "externalId"'],
  author: ['author_name', 'author_email', 'author_external_id'],
  body: ['body'],
  rating: ['rating'],
  language: ['language'],
  sentiment: ['sentiment_label', 'sentiment_score', 'sentiment_confidence', 'sentiment_model'],
  tags: [],
  metadata: ['metadata'],
  occurredAt: [],
  receivedAt: ['received_at AS "receivedAt"']
}
const WRAPPERS = new Set(['edges', 'node', 'nodes', 'feedback'])
const selected = new WeakMap()

// The columns behind the fields that a field's selection asks of feedback; found out once a compiled field.
function columns (info) {
  const key = info.fieldNodes[0]
  let list = selected.get(key)
  if (!list) {
    const found = new Set(['id AS key', 'occurred_at AS "occurredAt"'])
    const walk = (selections) => {
      for (const selection of selections ?? []) {
        if (selection.kind === 'FragmentSpread') walk(info.fragments[selection.name.value].selectionSet.selections)
        else if (selection.kind === 'InlineFragment' || WRAPPERS.has(selection.name.value)) {
          walk(selection.selectionSet.selections)
        } else COLUMNS[selection.name.value]?.forEach((column) => found.add(column))
      }
    }
    walk(key.selectionSet.selections)
    selected.set(key, list = [...found].join(', '))
  }
  return list
}

const WORKSPACE = `
  SELECT workspace.id AS key, name, slug, workspace.created_at AS "createdAt", role AS "viewerRole"
  FROM member JOIN workspace ON workspace.id = member.workspace_id WHERE member.user_id = $1`

const same = (name) => new GraphQLScalarType({ name, serialize: (value) => value, parseValue: (value) => value })

const resolvers = {
  DateTime: same('DateTime'),
  JSON: same('JSON'),
  Node: { resolveType: () => 'Feedback' },
  Problem: { resolveType: () => 'InvalidInput' },
  SubmitFeedbackResult: { resolveType: () => 'SubmitFeedbackSuccess' },
  Query: {
    async node (_, { id }, __, info) {
      const [row] = await rows(`SELECT ${columns(info)} FROM feedback WHERE id = $1`, [uuid(id)])
      return row ? new Row('feedback_', row) : null
    },
    async workspace (_, { slug }) {
      const [row] = await rows(`${WORKSPACE} AND slug = $2`, [viewer, slug])
      return row ? new Row('workspace_', row) : null
    },
    viewer: () => ({})
  },
  Viewer: {
    async user () {
      const [row] = await rows('SELECT id AS key, name, email FROM "user" WHERE id = $1', [viewer])
      return new Row('user_', row)
    },
    async workspaces () {
      const found = await rows(`${WORKSPACE} ORDER BY workspace.created_at, workspace.id`, [viewer])
      return found.map((row) => new Row('workspace_', row))
    }
  },
  Workspace: {
    async feedback ({ key }, { first, after }, _, info) {
      const keyset = after == null ? '' : 'AND (occurred_at, id) < ($2, $3)'
      const found = await rows(
        `SELECT ${columns(info)} FROM feedback WHERE workspace_id = $1 ${keyset}
         ORDER BY occurred_at DESC, id DESC LIMIT ${Number(first) + 1}`,
        after == null ? [key] : [key, ...readCursor(after)]
      )
      return new Page(
        found.map((row) => new Row('feedback_', row)), first, after != null,
        (row) => writeCursor(row.occurredAt, row.key)
      )
    },
    async stats ({ key }, { from, to }) {
      const starts = days(from, to)
      return stats(starts, await rows(COUNTS, [key, from, to, starts]))
    },
    async sources ({ key }) {
      const found = await rows(
        'SELECT id AS key, name, kind FROM source WHERE workspace_id = $1 ORDER BY created_at, id', [key]
      )
      return found.map((row) => new Row('source_', row))
    },
    async tags ({ key }) {
      const found = await rows('SELECT id AS key, name, color FROM tag WHERE workspace_id = $1 ORDER BY name, id', [key])
      return found.map((row) => new Row('tag_', row))
    },
    async jobs ({ key }, { first }) {
      const found = await rows(
        `SELECT id AS key, kind, status, progress, attempts, error, created_at AS "createdAt",
           started_at AS "startedAt", finished_at AS "finishedAt"
         FROM job WHERE workspace_id = $1 ORDER BY created_at DESC, id DESC LIMIT ${Number(first)}`, [key]
      )
      return { nodes: found.map((row) => new Row('job_', row)) }
    }
  },
  Feedback: {
    author (row) {
      const { author_name: name, author_email: email, author_external_id: externalId } = row
      return name === null && email === null && externalId === null ? null : { name, email, externalId }
    },
    sentiment: (row) => row.sentiment_label === null
      ? null
      : {
          label: row.sentiment_label,
          score: row.sentiment_score,
          confidence: row.sentiment_confidence,
          model: row.sentiment_model
        }
  },
  Mutation: {
    async submitFeedback (_, { input }, __, info) {
      const [row] = await rows(
        `INSERT INTO feedback
           (id, workspace_id, source_id, external_id, body, rating, occurred_at, received_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, now()) RETURNING ${columns(info)}`,
        [newUuid(), uuid(input.workspaceId), uuid(input.sourceId), input.externalId, input.body, input.rating,
          input.occurredAt]
      )
      return { duplicate: false, feedback: new Row('feedback_', row) }
    }
  }
}

const loaders = {
  Feedback: {
    async source (queries) {
      const wanted = [...new Set(queries.map(({ obj }) => obj.sourceId))]
      const found = new Map()
      for (const row of await rows('SELECT id AS key, name, kind FROM source WHERE id = ANY($1)', [wanted])) {
        found.set(row.key, new Row('source_', row))
      }
      return queries.map(({ obj }) => found.get(obj.sourceId))
    },
    async tags (queries) {
      const found = new Map(queries.map(({ obj }) => [obj.key, []]))
      const borne = await rows(
        `SELECT link.feedback_id AS feedback, tag.id AS key, name, color
         FROM feedback_tag AS link JOIN tag ON tag.id = link.tag_id
         WHERE link.feedback_id = ANY($1) ORDER BY name, tag.id`, [[...found.keys()]]
      )
      for (const row of borne) found.get(row.feedback).push(new Row('tag_', row))
      return queries.map(({ obj }) => found.get(obj.key))
    }
  }
}

const app = Fastify()
app.register(mercurius, { schema, resolvers, loaders, jit: 1, graphiql: false })
await app.listen({ host: '127.0.0.1', port })
