import { useCallback } from 'react';
import { useShellMessages } from '../app/messages';
import { type Problem, sentence } from '../graph/problems';
import { useToast } from './toast';

/** For what is done by one press, without a form: says in passing that it was done, or why not; answers whether it was. */
export function useOutcome() {
  const shell = useShellMessages();
  const toast = useToast();
  return useCallback(
    (problem: Problem | undefined, done: string, words: Record<string, string> = {}): boolean => {
      toast(problem ? { text: words[problem.kind] ?? sentence(problem, shell), kind: 'failed' } : { text: done });
      return !problem;
    },
    [shell, toast],
  );
}
