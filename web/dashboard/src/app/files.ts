import { useCallback } from 'react';
import { useClient } from 'urql';
import { graphql } from '../gql';
import type { UploadPurpose } from '../gql/graphql';
import { type Problem, problemIn } from '../graph/problems';
import { checksum, send, typeOf, type Watched } from '../graph/sending';
import { useMutate } from '../graph/useMutate';

const CREATE = graphql(`
  mutation CreateUpload($input: CreateUploadInput!) {
    createUpload(input: $input) {
      ... on CreateUploadSuccess {
        upload {
          file {
            id
          }
          url
          headers {
            name
            value
          }
          parts {
            offset
            size
            url
            headers {
              name
              value
            }
          }
        }
      }
      ...Refusal
    }
  }
`);

const COMPLETE = graphql(`
  mutation CompleteUpload($input: CompleteUploadInput!) {
    completeUpload(input: $input) {
      ... on CompleteUploadSuccess {
        file {
          id
          name
          size
          status
          reason
        }
      }
      ...Refusal
    }
  }
`);

const DOWNLOAD = graphql(`
  query Download($id: ID!) {
    node(id: $id) {
      ... on File {
        id
        downloadUrl
      }
    }
  }
`);

interface Upload extends Watched {
  workspaceId: string;
  file: File;
  purpose: UploadPurpose;
}

type Uploaded = { id: string; problem?: undefined } | { id?: undefined; problem: Problem };

/** Up to here a file is sent in one piece, and its checksum announced. */
const ONE_PIECE = 64 * 2 ** 20;
const LOST: Problem = { kind: 'other', message: '', fields: {} };

/** Sends a file to the bucket, and answers its id once it is READY; or why it is not. */
export function useUpload() {
  const create = useMutate(CREATE);
  const complete = useMutate(COMPLETE);
  return useCallback(
    async ({ workspaceId, file, purpose, ...watched }: Upload): Promise<Uploaded> => {
      const sha256 = await checksum(file, ONE_PIECE);
      const about = { name: file.name, contentType: typeOf(file), size: file.size, purpose };
      const announced = await create({ input: { workspaceId, ...about, ...(sha256 && { sha256 }) } });
      const target = announced?.createUpload;
      if (target?.__typename !== 'CreateUploadSuccess') return { problem: problemIn(target) ?? LOST };
      try {
        await send(target.upload, file, watched);
      } catch {
        return { problem: LOST };
      }
      const sent = (await complete({ input: { fileId: target.upload.file.id } }))?.completeUpload;
      if (sent?.__typename !== 'CompleteUploadSuccess') return { problem: problemIn(sent) ?? LOST };
      const { id, status, reason } = sent.file;
      return status === 'READY' ? { id } : { problem: { kind: 'Rejected', message: reason ?? '', fields: {} } };
    },
    [create, complete],
  );
}

/** Saves a file of the workspace, by an URL that is made for it: they work for five minutes. Answers whether there is one. */
export function useDownload() {
  const client = useClient();
  return useCallback(
    async (id: string): Promise<boolean> => {
      const { data } = await client.query(DOWNLOAD, { id }, { requestPolicy: 'network-only' }).toPromise();
      const url = data?.node?.__typename === 'File' && data.node.downloadUrl;
      if (url) location.assign(url);
      return Boolean(url);
    },
    [client],
  );
}
