import { useCallback } from 'react';
import { useQuery } from 'urql';
import { graphql } from '../gql';
import type { UpdateFeedbackInput } from '../gql/graphql';
import { problemIn, sentence } from '../graph/problems';
import { useMutate } from '../graph/useMutate';
import { useToast } from '../ui/toast';
import { useShellMessages } from './messages';
import { useWorkspace } from './workspace';

const CHOICES = graphql(`
  query Choices($slug: String!) {
    workspace(slug: $slug) {
      id
      tags {
        id
        name
        color
      }
      sources {
        id
        name
      }
      members {
        id
        role
        user {
          id
          name
        }
      }
    }
  }
`);

const UPDATE = graphql(`
  mutation UpdateFeedback($input: UpdateFeedbackInput!) {
    updateFeedback(input: $input) {
      ... on UpdateFeedbackSuccess {
        changed
        missingIds
        feedback {
          ...FeedbackRow
        }
      }
      ...Refusal
    }
  }
`);

const NONE = { tags: [], sources: [], members: [] };

/** What feedback can be given and filtered by: tags, sources and people of the workspace, of which there are none before `areThere`. */
export function useChoices() {
  const { slug } = useWorkspace();
  const [{ data }] = useQuery({ query: CHOICES, variables: { slug }, requestPolicy: 'cache-and-network' });
  const { tags, sources, members } = data?.workspace ?? NONE;
  return { tags, sources, members, areThere: data !== undefined };
}

/** Changes feedback, together: answers it as it is then, or says why not and answers nothing. */
export function useTriage() {
  const shell = useShellMessages();
  const toast = useToast();
  const update = useMutate(UPDATE);
  return useCallback(
    async (input: UpdateFeedbackInput) => {
      const result = (await update({ input }))?.updateFeedback;
      if (result?.__typename === 'UpdateFeedbackSuccess') return result;
      const problem = problemIn(result);
      toast({ kind: 'failed', text: problem ? sentence(problem, shell) : shell.problems.other });
      return undefined;
    },
    [update, toast, shell],
  );
}
