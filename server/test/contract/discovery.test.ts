import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { openDiscovery } from './discovery.ts'

const folder = mkdtempSync(join(tmpdir(), 'discovery-'))
afterAll(() => rmSync(folder, { recursive: true }))

const DOCUMENT = {
  rootUrl: 'https://api.example.com/',
  servicePath: '',
  parameters: { alt: { type: 'string', location: 'query' } },
  schemas: {
    Note: {
      type: 'object',
      properties: {
        id: { type: 'string' },
        raw: { type: 'string', format: 'byte' },
        size: { type: 'integer', format: 'int32' },
        tags: { type: 'array', items: { type: 'string' } },
        parent: { $ref: 'Note' },
      },
    },
  },
  resources: {
    notes: {
      methods: {
        list: {
          id: 'notes.list',
          httpMethod: 'GET',
          path: 'v1/notes',
          scopes: ['read'],
          parameters: {
            tag: { type: 'string', location: 'query', repeated: true },
            max: { type: 'integer', format: 'uint32', maximum: '500', location: 'query' },
            order: { type: 'string', enum: ['up', 'down'], location: 'query', required: true },
          },
        },
        update: {
          id: 'notes.update',
          httpMethod: 'PUT',
          path: 'v1/notes/{id}',
          parameters: { id: { type: 'string', location: 'path', required: true } },
          request: { $ref: 'Note' },
          response: { $ref: 'Note' },
          mediaUpload: {
            accept: ['message/*'],
            protocols: { simple: { path: '/upload/v1/notes/{id}', multipart: true } },
          },
        },
      },
    },
  },
}

const path = join(folder, 'notes.v1.json')
writeFileSync(path, JSON.stringify(DOCUMENT))
const discovery = openDiscovery(path)

const json = { 'content-type': 'application/json' }
const get = (where: string) => discovery.check({ method: 'GET', url: `https://api.example.com${where}`, headers: {} })
const put = (body: unknown) =>
  discovery.check({
    method: 'PUT',
    url: 'https://api.example.com/v1/notes/n1',
    headers: json,
    body: JSON.stringify(body),
  })

describe('a request the document allows', () => {
  test('has no mistakes', () => {
    expect(get('/v1/notes?order=up&tag=a&tag=b&max=500&alt=json').mistakes).toEqual([])
    expect(put({ id: 'n1', raw: 'YQ', size: 3, tags: ['a'], parent: { id: 'n0' } }).mistakes).toEqual([])
  })
})

describe('a mistake is named', () => {
  test.each([
    ['/v1/note', 'no method for GET /v1/note'],
    ['/v1/notes', 'notes.list: needs "order"'],
    ['/v1/notes?order=sideways', 'notes.list: "order" must be one of up, down, got "sideways"'],
    ['/v1/notes?order=up&order=down', 'notes.list: takes "order" once, got 2'],
    ['/v1/notes?order=up&max=ten', 'notes.list: "max" must be a whole number, got "ten"'],
    ['/v1/notes?order=up&max=501', 'notes.list: "max" must be at most 500, got "501"'],
    ['/v1/notes?order=up&maxResults=5', 'notes.list: has no query parameter "maxResults"'],
  ])('in the address %s', (where, mistake) => {
    expect(get(where).mistakes).toEqual([mistake])
  })

  test.each([
    [{ titel: 'x' }, 'notes.update: body has no field "titel"'],
    [{ parent: { idd: 'x' } }, 'notes.update: body.parent has no field "idd"'],
    [{ size: '3' }, 'notes.update: body.size must be a whole number, got "3"'],
    [{ tags: 'a' }, 'notes.update: body.tags must be a list, got "a"'],
    [{ raw: 'ä' }, 'notes.update: body.raw must be base64, got "ä"'],
  ])('in the body %j', (body, mistake) => {
    expect(put(body).mistakes).toEqual([mistake])
  })

  test('when the request goes elsewhere or lacks its body', () => {
    expect(
      discovery.check({ method: 'GET', url: 'https://evil.example.com/v1/notes', headers: {} }).mistakes,
    ).toHaveLength(1)
    expect(
      discovery.check({ method: 'PUT', url: 'https://api.example.com/v1/notes/a/b', headers: json }).mistakes,
    ).toEqual(['no method for PUT /v1/notes/a/b'])
    expect(
      discovery.check({ method: 'PUT', url: 'https://api.example.com/v1/notes/a', headers: json }).mistakes,
    ).toEqual(['notes.update: needs a body'])
  })

  test('in either part of an upload', () => {
    const upload = (resource: string, type: string) =>
      discovery.check({
        method: 'PUT',
        url: 'https://api.example.com/upload/v1/notes/n1?uploadType=multipart',
        headers: { 'content-type': 'multipart/related; boundary="b"' },
        body: `--b\r\ncontent-type: application/json\r\n\r\n${resource}\r\n--b\r\ncontent-type: ${type}\r\n\r\nhello\r\n--b--\r\n`,
      }).mistakes

    expect(upload('{"id":"n1"}', 'message/rfc822')).toEqual([])
    expect(upload('{"idd":"n1"}', 'message/rfc822')).toEqual(['notes.update: body has no field "idd"'])
    expect(upload('{}', 'image/png')).toEqual(['notes.update: does not take image/'])
  })
})
