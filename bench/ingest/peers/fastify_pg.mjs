// Fastify and pg: all that is stored, by one prepared statement.
import { readFileSync } from 'node:fs'
import pg from 'pg'
import { databaseUrl, serve, source, workspace } from './standard.mjs'

const pool = new pg.Pool({ connectionString: databaseUrl, max: 10, min: 10 })
const text = readFileSync(new URL('../store.sql', import.meta.url), 'utf8')
const UNIQUE_VIOLATION = '23505'

await serve(async (webhook, draft) => {
  const { id, externalId, author, body, rating, metadata, occurredAt } = draft
  const values = [
    id, workspace, source, externalId, author.name, author.email, author.externalId, body, rating,
    metadata === null ? null : JSON.stringify(metadata), occurredAt, webhook, JSON.stringify({ type: 'ADDED', id, source })
  ]
  try {
    const { rowCount } = await pool.query({ name: 'store', text, values })
    return rowCount === 1
  } catch (error) {
    if (error.code === UNIQUE_VIOLATION) return false
    throw error
  }
})
